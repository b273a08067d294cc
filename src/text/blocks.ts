import type { Block } from './block.js';
import { delimitedBlocks } from './delimited-blocks.js';
import { ASCIIDOC, LATEX, ORG, RESTRUCTURED_TEXT, SECTIONS } from './dialects.js';
import { jsonBlocks } from './json-blocks.js';
import { lineBlocks } from './line-blocks.js';
import { linesOf } from './lines.js';
import type { Layout } from './media-type.js';
import { markdownBlocks } from './markdown-blocks.js';
import { type Paced, PAUSE_STEPS } from './paced.js';
import { yamlBlocks } from './yaml-blocks.js';

const READERS: Record<Layout, (text: string) => Paced<Block>> = {
  prose: markdownBlocks,
  table: delimitedBlocks,
  code: codeBlocks,
  json: jsonBlocks,
  yaml: yamlBlocks,
  sections: (text) => lineBlocks(text, SECTIONS),
  latex: (text) => lineBlocks(text, LATEX),
  asciidoc: (text) => lineBlocks(text, ASCIIDOC),
  rst: (text) => lineBlocks(text, RESTRUCTURED_TEXT),
  org: (text) => lineBlocks(text, ORG),
};

/** The blocks of a text. A `#` starts a heading in prose only, because it starts a comment in many languages. */
export function blocks(text: string, layout: Layout): Paced<Block> {
  return READERS[layout](text);
}

const DEFINITION =
  /^(?:(?:export|default|public|private|protected|internal|static|async|abstract|final|pub|unsafe|inline|override)\s+)*(?:def|class|function|func|fn|fun|interface|struct|enum|trait|impl|type|module|namespace|object|record|sub|proc|const|create|mod)\b/i;
/** A comment, or an annotation of the line below. */
const COMMENT = /^(?:#|\/\/|\/?\*|--|;|@|"""|%)/;
const MAX_DEFINITION_CHARS = 120;

/**
 * The blocks of code: each reaches from one unindented definition to the next. Comments directly above a definition
 * belong to it.
 */
function* codeBlocks(text: string): Generator<Block | undefined> {
  let lines = 0;
  let open: Block | undefined;
  /** Where the comments begin that end on the line before. */
  let comments: number | undefined;
  for (const line of linesOf(text)) {
    if (++lines % PAUSE_STEPS === 0) yield undefined;
    if (line.indent === line.end) {
      comments = undefined;
      continue;
    }
    const start: string = text.slice(line.indent, Math.min(line.end, line.indent + MAX_DEFINITION_CHARS));
    const begins = line.indent === line.start && DEFINITION.test(start);
    const from: number = comments ?? line.start;
    if (open === undefined) open = { kind: 'code', start: line.start, end: line.end, level: 0, title: '' };
    else if (begins && from > open.start) {
      yield open;
      open = { kind: 'code', start: from, end: line.end, level: 0, title: '' };
    }
    if (COMMENT.test(start) && line.indent === line.start) comments ??= line.start;
    else comments = undefined;
    // Comments above the next definition are removed from this block when that definition begins.
    if (comments === undefined) open.end = line.end;
  }
  if (open !== undefined) yield { ...open, end: text.length };
}
