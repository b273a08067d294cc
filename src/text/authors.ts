import { frontMatterOf } from './front-matter.js';

const LOOK_AT_LINES = 15;
const MAX_AUTHORS = 50;
/** A line near the beginning of a mail, a PDF or a note that names its authors. */
const LINE = /^\**(?:author|authors|from|by|written by)\**\s*:\**\s*(\S.{0,300})$/i;

/** The authors that a document names in its front matter, or in a line such as `Author: Ann Lee`. */
export function authorsOf(text: string): string[] {
  const lines = text.slice(0, LOOK_AT_LINES * 400).split('\n', LOOK_AT_LINES);
  const named = lines.flatMap((line) => LINE.exec(line.trim())?.[1] ?? []);
  return [...new Set([...frontMatterOf(text).authors, ...named])].slice(0, MAX_AUTHORS);
}
