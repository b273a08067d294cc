import type { Block } from './block.js';
import { blocksOfLines, type Line, type LineReader } from './lines.js';
import type { Paced } from './paced.js';

/** How a markup language marks headings and code, so that a text can be cut along its headings. */
export interface Dialect {
  /** The text below headings: sentences, or code, which is cut between lines. */
  body?: 'code';
  /** The heading on a line. Level 0 is the title of the document. */
  heading?(line: string): { level: number; title: string } | undefined;
  /** The character of a line that underlines the one above it; undefined for other lines. */
  underline?(line: string): string | undefined;
  /** For a line that opens a block of code: the beginning of the line that closes it. */
  fence?(line: string): string | undefined;
}

/** Longer lines are text. */
const MAX_MARK_CHARS = 300;

/** The blocks of a text that is marked up line by line; empty lines end paragraphs. */
export function lineBlocks(text: string, dialect: Dialect): Paced<Block> {
  return blocksOfLines(text, new LineBlocks(text, dialect));
}

class LineBlocks implements LineReader {
  readonly found: Block[] = [];
  private open: Block | undefined;
  private fence: string | undefined;
  /** The marks of underlined headings in the order of their first use, which is their level. */
  private readonly marks: string[] = [];

  constructor(
    private readonly text: string,
    private readonly dialect: Dialect,
  ) {}

  take(line: Line): void {
    const words = this.text.slice(line.start, Math.min(line.end, line.start + MAX_MARK_CHARS)).trimEnd();
    if (this.fence !== undefined) return this.takeFenced(line, words);
    if (line.indent === line.end) return this.end();
    const heading = line.end - line.start > MAX_MARK_CHARS ? undefined : this.dialect.heading?.(words);
    this.fence = this.dialect.fence?.(words);
    if (heading !== undefined) {
      this.end();
      this.found.push({ kind: 'heading', start: line.start, end: line.end, ...heading });
    } else if (this.fence !== undefined) this.begin('code', line);
    else if (!this.underlines(line, words)) {
      if (this.open === undefined) this.begin(this.dialect.body ?? 'paragraph', line);
      else this.open.end = line.end;
    }
  }

  private takeFenced(line: Line, words: string): void {
    if (this.open !== undefined) this.open.end = line.end;
    if (
      !words
        .trimStart()
        .toLowerCase()
        .startsWith(this.fence as string)
    )
      return;
    this.fence = undefined;
    this.end();
  }

  /** Whether a line underlines the one line above it, which may itself have a line above it. */
  private underlines(line: Line, words: string): boolean {
    const mark = this.dialect.underline?.(words);
    const title = this.open;
    if (mark === undefined || title?.kind !== 'paragraph' || title.end + 1 !== line.start) return false;
    const [first = '', second = ''] = this.text.slice(title.start, title.end).split('\n', 3);
    const isOverlined = this.dialect.underline?.(first.trimEnd()) === mark;
    const name = (isOverlined ? second : first).trim();
    const lines = title.end - title.start - (isOverlined ? first.length + 1 + second.length : first.length);
    // A line that is shorter than the words above it is a transition or text.
    if (name === '' || lines !== 0 || words.length < name.length || title.end - title.start > 2 * MAX_MARK_CHARS)
      return false;
    const key = isOverlined ? mark + mark : mark;
    if (!this.marks.includes(key)) this.marks.push(key);
    this.found.push({
      kind: 'heading',
      start: title.start,
      end: line.end,
      level: this.marks.indexOf(key) + 1,
      title: name,
    });
    this.open = undefined;
    return true;
  }

  private begin(kind: 'paragraph' | 'code', { start, end }: Line): void {
    this.end();
    this.open = { kind, start, end, level: 0, title: '' };
  }

  end(): void {
    if (this.open !== undefined) this.found.push(this.open);
    this.open = undefined;
  }
}
