import type { Span } from './sentences.js';

/** A heading, a paragraph, a table, or a piece of code, in the order of the text. */
export interface Block extends Span {
  kind: 'heading' | 'paragraph' | 'table' | 'code';
  /** Of a heading: 1 is the highest. */
  level: number;
  /** Of a heading: its words without its marks. Of a table: its header row, the cells joined by ` | `. */
  title: string;
}

const MAX_HEADER_CHARS = 200;

/** The cells of a row, joined by ` | `. */
export function headerOf(text: string, { indent, end }: { indent: number; end: number }): string {
  const row = text.slice(indent, Math.min(end, indent + MAX_HEADER_CHARS));
  const cells = row.split(row.includes('|') ? '|' : row.includes('\t') ? '\t' : row.includes(';') ? ';' : ',');
  return cells
    .map((cell) => cell.trim())
    .filter((cell) => cell !== '')
    .join(' | ');
}
