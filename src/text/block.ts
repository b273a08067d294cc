import type { Span } from './sentences.js';

/** A heading, a paragraph, a table, or a piece of code, in the order of the text. */
export interface Block extends Span {
  kind: 'heading' | 'paragraph' | 'table' | 'code';
  /** The level of a heading; 1 is the highest. Other blocks have none. */
  level: number;
  /** For a heading: its words without its marks. For a table: its header row, the cells joined by ` | `. */
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
