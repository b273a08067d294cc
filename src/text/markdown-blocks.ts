import { type Block, headerOf } from './block.js';
import { blocksOfLines, type Line, type LineReader } from './lines.js';
import type { Paced } from './paced.js';

const MAX_HEADING_CHARS = 200;
/** A line that is indented further is code. */
const MAX_INDENT = 3;

/** The blocks of Markdown, or of text without any marks. */
export function markdownBlocks(text: string): Paced<Block> {
  return blocksOfLines(text, new MarkdownBlocks(text));
}

class MarkdownBlocks implements LineReader {
  readonly found: Block[] = [];
  private open: Block | undefined;
  /** The mark that closes the open code block. */
  private fence: string | undefined;

  constructor(private readonly text: string) {}

  take(line: Line): void {
    if (this.fence !== undefined) return this.takeFenced(line, this.fence);
    if (line.indent === line.end) return this.end();
    const isIndented = line.indent - line.start > MAX_INDENT || this.text[line.start] === '\t';
    const fence = isIndented ? undefined : this.fenceOf(line);
    const title = isIndented ? undefined : this.atxTitle(line);
    if (fence !== undefined) {
      this.begin('code', line);
      this.fence = fence;
      if (fence === PRE_END && this.holds(line, PRE_END)) this.endFence();
    } else if (title !== undefined) {
      this.end();
      this.found.push({ kind: 'heading', start: line.start, end: line.end, ...title });
    } else if (this.isUnderline(line)) this.makeHeading(line);
    else if (this.isTableRule(line)) this.makeTable(line);
    else if (this.open?.kind === 'table' && !this.holds(line, '|')) this.begin('paragraph', line);
    else if (this.open === undefined) this.begin('paragraph', line);
    else this.open.end = line.end;
  }

  private takeFenced(line: Line, fence: string): void {
    if (this.open !== undefined) this.open.end = line.end;
    if (fence === PRE_END ? this.holds(line, PRE_END) : this.text.startsWith(fence, line.indent)) this.endFence();
  }

  private endFence(): void {
    this.fence = undefined;
    this.end();
  }

  private begin(kind: 'paragraph' | 'code', { start, end }: Line): void {
    this.end();
    this.open = { kind, start, end, level: 0, title: '' };
  }

  end(): void {
    if (this.open !== undefined) this.found.push(this.open);
    this.open = undefined;
  }

  /** Front matter, three marks of a fence, or `<pre>`; undefined where the line is none of these. */
  private fenceOf({ start, indent }: Line): string | undefined {
    const mark = this.text.slice(indent, indent + 3);
    if (mark === '```' || mark === '~~~') return mark;
    if (start === 0 && mark === '---') return mark;
    return this.text.slice(indent, indent + 4).toLowerCase() === '<pre' ? PRE_END : undefined;
  }

  private atxTitle({ indent, end }: Line): { level: number; title: string } | undefined {
    if (this.text[indent] !== '#' || end - indent > MAX_HEADING_CHARS) return undefined;
    const match = /^(#{1,6})[ \t](.*)$/.exec(this.text.slice(indent, end).trimEnd());
    if (match === null) return undefined;
    return { level: (match[1] as string).length, title: (match[2] as string).replace(/[ \t]#+$/, '').trim() };
  }

  /** Whether a line underlines the one open line and so makes it a heading. */
  private isUnderline({ start, indent, end }: Line): boolean {
    const { open } = this;
    if (open?.kind !== 'paragraph' || open.end - open.start > MAX_HEADING_CHARS) return false;
    if (end - indent > MAX_HEADING_CHARS || open.end + 1 !== start) return false;
    return /^(?:=+|-{3,})\s*$/.test(this.text.slice(indent, end)) && !this.textOf(open).includes('\n');
  }

  private makeHeading({ indent, end }: Line): void {
    const { start, end: lineEnd } = this.open as Block;
    const level = this.text[indent] === '=' ? 1 : 2;
    this.found.push({ kind: 'heading', start, end, level, title: this.text.slice(start, lineEnd).trim() });
    this.open = undefined;
  }

  /** Whether a line is the rule below the header row of a table: `|---|:--:|`. */
  private isTableRule(line: Line): boolean {
    const { open } = this;
    if (open?.kind !== 'paragraph' || !this.holds(line, '|') || !this.holds(line, '-')) return false;
    if (!/^[-|: \t\r]+$/.test(this.text.slice(line.indent, line.end))) return false;
    return this.text.slice(this.lastLineOf(open), open.end).includes('|');
  }

  /** Turns the open paragraph into a table; its last line is the header row. */
  private makeTable(line: Line): void {
    const open = this.open as Block;
    const start = this.lastLineOf(open);
    if (start > open.start) this.found.push({ ...open, end: start - 1 });
    const title = headerOf(this.text, { indent: start, end: open.end });
    this.open = { kind: 'table', start, end: line.end, level: 0, title };
  }

  private lastLineOf({ start, end }: Block): number {
    return Math.max(start, this.text.lastIndexOf('\n', end - 1) + 1);
  }

  /** Searches this line only: a search through the rest of the text for every line would take quadratic time. */
  private holds({ indent, end }: Line, mark: string): boolean {
    return this.text.slice(indent, end).includes(mark);
  }

  private textOf({ start, end }: Block): string {
    return this.text.slice(start, end);
  }
}

const PRE_END = '</pre>';
