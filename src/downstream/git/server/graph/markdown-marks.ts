/** A longer heading is truncated. */
const MAX_HEADING_CHARS = 500;
const MAX_LABEL_CHARS = 500;
const MAX_TARGET_CHARS = 500;
const MAX_NAME_CHARS = 255;
/** More of them add no information. */
const MAX_FOUND = 5000;
const MAX_WIKI_CHARS = 2 * MAX_NAME_CHARS + 1;

/** The headings marked with `#`, without their marks. */
export function headings(text: string): string[] {
  const found: string[] = [];
  for (const line of linesOf(text)) {
    if (found.length === MAX_FOUND) break;
    const marks = /^#{1,6}(?=[ \t])/.exec(line)?.[0].length;
    if (marks === undefined) continue;
    const words = line.slice(marks, marks + MAX_HEADING_CHARS).trim();
    let end = words.length;
    while (end > 0 && words[end - 1] === '#') end--;
    const title = words.slice(0, end).trimEnd();
    if (title !== '') found.push(title);
  }
  return found;
}

function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    const feed = text.indexOf('\n', start);
    const end = feed === -1 ? text.length : feed;
    // Copies at most what a heading is read from, because a line may be a megabyte long.
    yield text.slice(start, Math.min(end, start + 2 * MAX_HEADING_CHARS)).replace(/\r$/, '');
    start = end + 1;
  }
}

/**
 * The targets of `[text](target)` and of `[[name]]` or `[[name|text]]`. Each character is read a bounded number of
 * times.
 */
export function documentLinks(text: string): { inline: string[]; wiki: string[] } {
  return { inline: inlineTargets(text), wiki: wikiNames(text) };
}

function inlineTargets(text: string): string[] {
  const found: string[] = [];
  const targetEnd = new NextMatch(text, /[)\s]/g);
  for (let at = text.indexOf(']('); at !== -1 && found.length < MAX_FOUND; at = text.indexOf('](', at + 2)) {
    const end = targetEnd.from(at + 2);
    const length = end - (at + 2);
    if (length < 1 || length > MAX_TARGET_CHARS || text[end] !== ')') continue;
    const label = text.slice(Math.max(0, at - MAX_LABEL_CHARS - 1), at);
    const open = label.indexOf('[', Math.max(label.lastIndexOf(']'), label.lastIndexOf('\n')) + 1);
    if (open !== -1) found.push(text.slice(at + 2, end));
  }
  return found;
}

function wikiNames(text: string): string[] {
  const found: string[] = [];
  const close = new NextMatch(text, /\]\]/g);
  for (let at = text.indexOf('[['); at !== -1 && found.length < MAX_FOUND; at = text.indexOf('[[', at + 1)) {
    const end = close.from(at + 2);
    if (end - (at + 2) > MAX_WIKI_CHARS || end >= text.length) continue;
    const nearer = text.indexOf('[[', at + 1);
    if (nearer !== -1 && nearer < end) continue;
    const [name = '', label = '', ...rest] = text.slice(at + 2, end).split('|');
    const fits = name.length <= MAX_NAME_CHARS && label.length <= MAX_NAME_CHARS && rest.length === 0;
    if (fits && name !== '' && !/[[\]\n]/.test(name + label)) found.push(name);
  }
  return found;
}

/** Finds the next match of a pattern. For increasing positions it reads the text once. */
class NextMatch {
  private next = -1;

  constructor(
    private readonly text: string,
    /** Must have the global flag. */
    private readonly pattern: RegExp,
  ) {}

  /** The position of the first match at or after `start`; the end of the text where there is none. */
  from(start: number): number {
    if (this.next < start) {
      this.pattern.lastIndex = start;
      this.next = this.pattern.exec(this.text)?.index ?? this.text.length;
    }
    return this.next;
  }
}
