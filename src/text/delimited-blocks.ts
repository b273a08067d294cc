import papaparse from 'papaparse';
import type { Block } from './block.js';
import { isHeaderRow } from './table-header.js';

const SAMPLE_CHARS = 20_000;
const MAX_HEADER_CHARS = 200;
const DELIMITERS = [',', ';', '\t', '|', '\x1f'];
/** The line with which Excel names the delimiter, above the table. */
const DELIMITER_LINE = /^sep=(.)\r?\n/i;

/** A file of delimited values is one table. Its title is its header row, if it has one. */
export function delimitedBlocks(text: string): Block[] {
  const start = text.search(/\S/);
  if (start === -1) return [];
  const named = DELIMITER_LINE.exec(text.slice(start, start + 10));
  const sample = text.slice(start + (named?.[0].length ?? 0), start + SAMPLE_CHARS);
  const options = { preview: 3, skipEmptyLines: 'greedy', delimitersToGuess: DELIMITERS } as const;
  const { data } = papaparse.parse<string[]>(
    sample,
    named?.[1] === undefined ? options : { ...options, delimiter: named[1] },
  );
  const [first = [], second] = data.map((row) => row.map((cell) => cell.replaceAll(/\s+/g, ' ').trim()));
  const header = first.filter((cell) => cell !== '').join(' | ');
  const title = isHeaderRow(first, second) ? header.slice(0, MAX_HEADER_CHARS) : '';
  return [{ kind: 'table', start, end: text.length, level: 0, title }];
}
