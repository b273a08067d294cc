import { isBlank, type Span } from './sentences.js';

/** A heading, a paragraph or a fenced piece of code, in the order of the text. */
export interface Block extends Span {
  kind: 'heading' | 'paragraph' | 'code';
  /** Of a heading: 1 is the highest. */
  level: number;
  /** Of a heading: its words without its marks. */
  title: string;
}

interface Line extends Span {
  /** Of the line's visible beginning; equal to `end` on a blank line. */
  indent: number;
}

/**
 * The blocks of a text. Headings are Markdown's, with `#` or underlined; they are looked for in prose only, since `#` begins a
 * comment in many languages.
 */
export function blocks(text: string, mediaType: string): Block[] {
  const found: Block[] = [];
  const hasHeadings = /^text\/(plain|markdown|x-markdown|html)\b|^application\/|^$/.test(mediaType);
  let open: Block | undefined;
  let fence: string | undefined;
  const close = () => {
    if (open !== undefined) found.push(open);
    open = undefined;
  };
  for (const line of lines(text)) {
    if (fence !== undefined && open !== undefined) {
      open.end = line.end;
      if (text.startsWith(fence, line.indent)) {
        fence = undefined;
        close();
      }
      continue;
    }
    if (line.indent === line.end) {
      close();
      continue;
    }
    const mark = text.slice(line.indent, line.indent + 3);
    const title = hasHeadings ? atxTitle(text, line) : undefined;
    if (mark === '```' || mark === '~~~') {
      close();
      fence = mark;
      open = { kind: 'code', start: line.start, end: line.end, level: 0, title: '' };
    } else if (title !== undefined) {
      close();
      found.push({ kind: 'heading', start: line.start, end: line.end, ...title });
    } else if (open !== undefined && hasHeadings && isUnderline(text, open, line)) {
      const level = text[line.indent] === '=' ? 1 : 2;
      found.push({ ...open, kind: 'heading', end: line.end, level, title: text.slice(open.start, open.end).trim() });
      open = undefined;
    } else if (open === undefined) {
      open = { kind: 'paragraph', start: line.start, end: line.end, level: 0, title: '' };
    } else {
      open.end = line.end;
    }
  }
  close();
  return found;
}

function* lines(text: string): Generator<Line> {
  for (let start = 0; start < text.length;) {
    const feed = text.indexOf('\n', start);
    const end = feed === -1 ? text.length : feed;
    let indent = start;
    while (indent < end && isBlank(text.charCodeAt(indent))) indent++;
    yield { start, end, indent };
    start = end + 1;
  }
}

const MAX_HEADING_CHARS = 200;

function atxTitle(text: string, line: Line): { level: number; title: string } | undefined {
  if (text[line.indent] !== '#' || line.end - line.indent > MAX_HEADING_CHARS) return undefined;
  const match = /^(#{1,6})[ \t](.*)$/.exec(text.slice(line.indent, line.end).trimEnd());
  if (match === null) return undefined;
  return { level: (match[1] as string).length, title: (match[2] as string).replace(/[ \t]#+$/, '').trim() };
}

/** Whether `line` underlines the one line of `open` and makes a heading of it. */
function isUnderline(text: string, open: Block, line: Line): boolean {
  if (open.kind !== 'paragraph' || open.end - open.start > MAX_HEADING_CHARS) return false;
  if (line.end - line.indent > MAX_HEADING_CHARS || open.end + 1 !== line.start) return false;
  return /^(=+|-{3,})\s*$/.test(text.slice(line.indent, line.end)) && !text.slice(open.start, open.end).includes('\n');
}
