import { describe, expect, it } from 'vitest';
import type { DocumentInfo } from '../api/shapes.ts';
import { excerptAround } from './excerpt.ts';
import { documentsUnder, entriesIn } from './folders.ts';
import { locate, moveTarget, resolvePath } from './paths.ts';

describe('resolvePath', () => {
  it.each([
    ['docs/a.md', 'b.md', 'docs/b.md'],
    ['docs/a.md', '../README.md', 'README.md'],
    ['docs/a.md', '/x/y.md#part', 'x/y.md'],
    ['docs/ä ö.md', 'ü%20z.md', 'docs/ü z.md'],
    ['a.md', '#part', undefined],
    ['a.md', 'mailto:a@example.org', undefined],
    ['a.md', 'javascript:alert(1)', undefined],
  ])('from %s to %s', (from, href, target) => {
    expect(resolvePath(from, href)).toBe(target);
  });
});

describe('locate', () => {
  it('finds a passage by its words, and says where there is none any more', () => {
    expect(locate('one two three', ' two ')).toEqual({ start: 4, end: 7 });
    expect(locate('one', 'two')).toBeUndefined();
    expect(locate('one', '  ')).toBeUndefined();
  });
});

describe('excerptAround', () => {
  it('takes whole blocks, with the range moved along', () => {
    const text = `${'before. '.repeat(50)}\n\nNear.\n\nThe passage.\n\n${'after. '.repeat(50)}\n\nFar.`;
    const range = locate(text, 'The passage.') as { start: number; end: number };
    const excerpt = excerptAround(text, range, 10);
    expect(excerpt.text.slice(excerpt.range.start, excerpt.range.end)).toBe('The passage.');
    expect(excerpt.text).toContain('Near.');
    expect(excerpt.text).not.toContain('Far.');
  });
});

describe('entriesIn', () => {
  const documents = ['a.md', 'x/b.md', 'x/y/c.md', 'z/d.md'].map(
    (path) =>
      ({ path, title: path === 'a.md' ? 'Pears' : '', ...(path === 'x/b.md' && { tags: ['tax'] }) }) as DocumentInfo,
  );
  const names = (folder: string, text = '', tag = '') =>
    entriesIn(documents, folder, { text, tag }).map((entry) =>
      entry.kind === 'folder' ? entry.path : entry.document.path,
    );

  it('lists folders before documents, each level by itself', () => {
    expect(names('')).toEqual(['x/', 'z/', 'a.md']);
    expect(names('x/')).toEqual(['x/y/', 'x/b.md']);
  });

  it('finds by path or title in all folders below', () => {
    expect(names('', 'c.md')).toEqual(['x/y/c.md']);
    expect(names('', 'pears')).toEqual(['a.md']);
  });

  it('finds by a tag, also by a part of it', () => {
    expect(names('', '', 'tax')).toEqual(['x/b.md']);
    expect(names('z/', '', 'tax')).toEqual([]);
    expect(names('', '', 'ta')).toEqual([]);
    expect(names('', '#ta')).toEqual(['x/b.md']);
  });

  it('lets a folder stand for the documents in it, and not for those beside it', () => {
    const under = (paths: string[]) => documentsUnder(documents, paths).map(({ path }) => path);
    expect(under(['x/', 'a.md'])).toEqual(['a.md', 'x/b.md', 'x/y/c.md']);
    expect(under(['x'])).toEqual([]);
  });
});

describe('moveTarget', () => {
  it.each([
    ['notes/a.md', ' archive/b.md ', 'archive/b.md'],
    ['notes/a.md', 'archive/', 'archive/a.md'],
    ['notes/a.md', '/b.md', 'b.md'],
    ['notes/', 'archive/notes', 'archive/notes/'],
    ['notes/', 'archive/', 'archive/'],
    ['notes/a.md', ' ', 'notes/a.md'],
  ])('moves %s to %j as %s', (from, typed, to) => {
    expect(moveTarget(from, typed)).toBe(to);
  });
});
