import type { PageStart } from '../contract/page.contract.js';
import type { Block } from './block.js';
import { blocks } from './blocks.js';
import { linesOf } from './lines.js';
import { type Layout, layoutOf } from './media-type.js';
import { type Paced, PAUSE_CHARS, PAUSE_STEPS } from './paced.js';
import { isBlank, sentencesOf, type Span, trim } from './sentences.js';

/** A piece of a document about one subject: the unit of indexing, search and citation. */
export interface TextPassage extends Span {
  /** Its number in the document, counted from 0. */
  chunk: number;
  /** The headings above it, outermost first, joined by ` › `; empty before the first heading. */
  title: string;
  /** The document's text from `start` to `end`, verbatim. */
  text: string;
  /** The page that it is on, where the document has pages. */
  page?: number;
}

/** About 250 English words. Long sections are cut into equal parts of about this size. */
const TARGET_CHARS = 1600;
/** No passage that can be cut is longer than this. */
const MAX_CHARS = 2400;
/** A shorter section is joined to the next one. */
const MIN_CHARS = 200;
/** A longer section is cut, because its blocks are in memory together: a text may have millions of headings. */
const MAX_SECTION_CHARS = 500_000;
const MAX_TITLE_CHARS = 300;
/** Finding the paths of more data than this would hold up other requests for too long: it is cut like code, without paths. */
const MAX_STRUCTURED_CHARS = 2_000_000;
const UNSTRUCTURED: ReadonlySet<Layout> = new Set<Layout>(['prose', 'table', 'code']);

/**
 * Cuts a text into passages at headings, paragraphs, code blocks, sentences or, as a last resort, words. Passages are
 * in order, do not overlap, omit only white space, and end at the end of a page. Takes time linear in the text's
 * length, in small steps: a caller can pause after each passage and each undefined, see {@link Paced}.
 * @param pages where the pages of the text begin, in order
 */
export function* passagesOf(
  text: string,
  mediaType: string,
  path = '',
  pages: readonly PageStart[] = [],
): Generator<TextPassage | undefined> {
  let chunk = 0;
  const known = layoutOf(path, mediaType);
  const layout = text.length <= MAX_STRUCTURED_CHARS || UNSTRUCTURED.has(known) ? known : 'code';
  for (const section of sections(text, layout, pages)) {
    if (section === undefined) {
      yield undefined;
      continue;
    }
    const tables = section.blocks.filter(({ kind }) => kind === 'table');
    for (const span of cutSection(text, section)) {
      if (span === undefined) {
        yield undefined;
        continue;
      }
      const { start, end } = span;
      while (tables[0] !== undefined && tables[0].end <= start) tables.shift();
      const title = tables[0] === undefined ? section.title : withHeader(section.title, tables[0], start);
      const passage = { chunk: chunk++, title, start, end, text: text.slice(start, end) };
      yield section.page === undefined ? passage : { ...passage, page: section.page };
    }
  }
}

/** Adds the column names of a table to the title of a passage that begins among its rows. */
function withHeader(title: string, table: Block, start: number): string {
  if (start <= table.start || table.title === '') return title;
  return title === '' ? table.title : `${title} › ${table.title}`;
}

interface Section {
  title: string;
  blocks: Block[];
  hasBody: boolean;
  page: number | undefined;
}

/**
 * Runs of blocks under one heading and on one page. Headings without text of their own and very short sections join the
 * next section of the page.
 */
function* sections(text: string, layout: Layout, pages: readonly PageStart[]): Generator<Section | undefined> {
  const trail: Block[] = [];
  let next = 0;
  let open: Section = { title: '', blocks: [], hasBody: false, page: undefined };
  for (const block of cutAtPages(blocks(text, layout), pages)) {
    if (block === undefined) {
      yield undefined;
      continue;
    }
    const page = pages[next];
    if (page !== undefined && block.start >= page.start) {
      while ((pages[next]?.start ?? Infinity) <= block.start) next++;
      if (open.blocks.length > 0) yield open;
      open = { title: titleOf(trail), blocks: [], hasBody: false, page: pages[next - 1]?.page };
    }
    if (block.kind === 'heading') {
      if (open.hasBody && charsOf(open) >= MIN_CHARS) {
        yield open;
        open = { title: '', blocks: [], hasBody: false, page: open.page };
      }
      while (trail.length > 0 && (trail.at(-1) as Block).level >= block.level) trail.pop();
      trail.push(block);
    }
    if (open.blocks.length > 0 && charsOf(open) > MAX_SECTION_CHARS) {
      yield open;
      open = { ...open, blocks: [] };
    }
    if (!open.hasBody) {
      open.title = titleOf(trail);
      open.hasBody = block.kind !== 'heading';
    }
    if (open.blocks.push(block) % PAUSE_STEPS === 0) yield undefined;
  }
  if (open.blocks.length > 0) yield open;
}

function titleOf(trail: readonly Block[]): string {
  return trail
    .map((heading) => heading.title)
    .filter((title) => title !== '')
    .join(' › ')
    .slice(0, MAX_TITLE_CHARS);
}

/** Cuts blocks at the ends of pages, because a block such as a code listing may cross one. */
function* cutAtPages(found: Paced<Block>, pages: readonly PageStart[]): Generator<Block | undefined> {
  let next = 0;
  for (const block of found) {
    if (block === undefined) {
      yield undefined;
      continue;
    }
    let { start } = block;
    for (; (pages[next]?.start ?? Infinity) < block.end; next++) {
      const at = (pages[next] as PageStart).start;
      if (at > start) {
        yield { ...block, start, end: at };
        start = at;
      }
    }
    yield { ...block, start };
  }
}

function charsOf(section: Section): number {
  return (section.blocks.at(-1) as Block).end - (section.blocks[0] as Block).start;
}

/**
 * Groups a section's pieces into spans of similar size. Each ends at the end of the piece that is nearest to its share.
 */
function* cutSection(text: string, section: Section): Generator<Span | undefined> {
  const { start } = section.blocks[0] as Block;
  const chars = charsOf(section);
  const target = chars / Math.max(1, Math.round(chars / TARGET_CHARS));
  let open: Span | undefined;
  let share = start + target;
  for (const piece of piecesOf(text, section.blocks)) {
    if (piece === undefined) yield undefined;
    else if (open === undefined) open = { ...piece };
    else if (piece.end - open.start > MAX_CHARS || piece.end - share > share - open.end) {
      yield open;
      open = { ...piece };
      share = Math.max(share, piece.start) + target;
    } else {
      open.end = piece.end;
    }
  }
  if (open !== undefined) yield open;
}

function* piecesOf(text: string, found: readonly Block[]): Generator<Span | undefined> {
  for (const block of found) yield* pieces(text, block);
}

/** A block as it is or, where it is too long, its sentences (code: its lines), which are cut at spaces if necessary. */
function* pieces(text: string, block: Block): Generator<Span | undefined> {
  const whole = trim(text, block.start, block.end);
  if (block.kind !== 'table' && whole.end - whole.start <= TARGET_CHARS) {
    if (whole.end > whole.start) yield whole;
    return;
  }
  const parts =
    block.kind === 'table'
      ? tableRows(text, whole)
      : block.kind === 'code'
        ? codeLines(text, whole)
        : sentencesOf(text, whole.start, whole.end);
  for (const part of parts) {
    if (part === undefined) yield undefined;
    else yield* cutAtBlanks(text, part);
  }
}

/** The rows of a table. A line feed between quotation marks does not end a row. */
function* tableRows(text: string, { start, end }: Span): Generator<Span | undefined> {
  let open: Span | undefined;
  let lines = 0;
  let isQuoted = false;
  for (const line of linesOf(text, start, end)) {
    if (++lines % PAUSE_STEPS === 0) yield undefined;
    if (open === undefined) open = { start: line.start, end: line.end };
    else open.end = line.end;
    for (let at = line.start; at < line.end; at++) {
      if (at % PAUSE_CHARS === 0) yield undefined;
      if (text[at] === '"') isQuoted = !isQuoted;
    }
    if (isQuoted && open.end - open.start <= MAX_CHARS) continue;
    isQuoted = false;
    const row = trim(text, open.start, open.end);
    if (row.end > row.start) yield row;
    open = undefined;
  }
  if (open !== undefined) yield trim(text, open.start, open.end);
}

function* codeLines(text: string, { start, end }: Span): Generator<Span | undefined> {
  let lines = 0;
  for (let from = start; from < end;) {
    if (++lines % PAUSE_STEPS === 0) yield undefined;
    const feed = text.indexOf('\n', from);
    const to = feed === -1 || feed > end ? end : feed;
    const line = trim(text, from, to);
    if (line.end > line.start) yield { start: from, end: line.end };
    from = to + 1;
  }
}

function* cutAtBlanks(text: string, { start, end }: Span): Generator<Span | undefined> {
  while (end - start > MAX_CHARS) {
    let at = start + TARGET_CHARS;
    while (at > start + TARGET_CHARS / 2 && !isBlank(text.charCodeAt(at))) at--;
    if (!isBlank(text.charCodeAt(at))) at = wholeCharacter(text, start + TARGET_CHARS);
    const part = trim(text, start, at);
    yield part.end > part.start ? part : undefined;
    start = at;
  }
  const rest = trim(text, start, end);
  if (rest.end > rest.start) yield rest;
}

/** `at`, or the position before it where `at` would split a surrogate pair. */
function wholeCharacter(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}
