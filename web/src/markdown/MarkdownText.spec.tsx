import { renderToStaticMarkup } from 'react-dom/server';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadClosedEnds } from './closed-ends.ts';
import MarkdownText from './MarkdownText.tsx';

const shown = (text: string, more: object = {}) => renderToStaticMarkup(<MarkdownText text={text} {...more} />);

describe('MarkdownText', () => {
  beforeAll(loadClosedEnds);

  it('makes the numbers of passages buttons, and leaves other brackets alone', () => {
    const html = shown('So it is [1, 3-4]. Not [9], nor `[1]`.', {
      citations: 4,
      renderCitation: (number: number) => <b>{number}</b>,
    });
    expect(html).toContain('<b>1</b><b>3</b><b>4</b>. Not [9]');
    expect(html).toContain('<code>[1]</code>');
  });

  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[x](javascript:alert(1))',
    '![x](https://example.org/pixel.png)',
    '<svg/onload=alert(1)>',
    '[x](data:text/html,<script>alert(1)</script>)',
  ])('shows %s as text or not at all', (text) => {
    const html = shown(text);
    expect(html).not.toMatch(/<(script|img|svg|iframe)|<[^>]*\s(href="(javascript|data):|src=|on\w+=)/i);
  });

  it.each([
    ['a block', '```sh\none two three\n```\n'],
    ['a line', 'Run `one two three` now.\n'],
  ])('shows the whole code of %s in which a passage begins', (_, text) => {
    const at = text.indexOf('two');
    const html = shown(text, { range: { start: at, end: at + 3 } });
    expect(html.replace(/<[^>]*>/g, '')).toContain('one two three');
  });

  it('shows an empty block of code as empty', () => {
    expect(shown('```sh\n```\n\nText')).not.toContain('undefined');
  });

  it('marks a passage across elements, to the character', () => {
    const text = 'One **two** three.\n\n- four\n- five';
    const start = text.indexOf('two');
    const html = shown(text, { range: { start, end: text.indexOf('ur\n') } });
    expect(html).toContain('<strong><mark>two</mark></strong><mark> three.</mark>');
    expect(html).toContain('<mark>fo</mark>ur');
    expect(html).not.toContain('<mark>five');
  });

  it('closes what is open at the end of a growing text', () => {
    expect(shown('It is **very', { growing: true })).toContain('<strong>very</strong>');
  });
});
