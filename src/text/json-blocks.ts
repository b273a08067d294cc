import type { Block } from './block.js';
import { PAUSE_STEPS } from './paced.js';

/** Values nested deeper become part of the text of the value around them. */
const MAX_DEPTH = 8;
const MAX_TITLE_CHARS = 80;
/** Neighbouring values are joined until they have this many characters. */
const ENOUGH_CHARS = 400;

interface Container {
  /** The key of the value, or its number in a list; empty for the outermost value. */
  name: string;
  /** For a list: how many values were read so far; undefined for an object. */
  items: number | undefined;
}

/**
 * The blocks of JSON, or of one JSON value per line: each object and list is a heading, named by its key or its number,
 * so that the title of a passage is the path to it. The text need not be valid. Takes time linear in its length.
 */
export function* jsonBlocks(text: string): Generator<Block | undefined> {
  const reader = new JsonBlocks(text);
  let tokens = 0;
  for (const token of text.matchAll(TOKEN)) {
    reader.take(token[0], token.index);
    yield* reader.complete();
    if (++tokens % PAUSE_STEPS === 0) yield undefined;
  }
  yield* reader.end();
}

/**
 * A string (with the colon of a key; one without an end reaches to the end of the text), or a mark. Characters between
 * tokens are skipped.
 */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*(?:"(?:\s{0,100}:)?|$)|[{}[\],]/gs;

class JsonBlocks {
  private found: Block[] = [];
  private readonly open: Container[] = [];
  private key: { name: string; at: number } | undefined;
  /** Where the values begin that are in no block yet. */
  private from = 0;
  /** Whether the next values belong to an outer heading and not to the one found last. */
  private isBack = false;

  constructor(private readonly text: string) {}

  take(token: string, at: number): void {
    if (token.startsWith('"')) {
      if (token.endsWith(':') && at >= this.from) this.key = { name: nameOf(token), at };
    } else if (token === '{' || token === '[') this.enter(token, at);
    else if (token === ',') this.next(at + 1);
    else this.leave(at + 1);
  }

  /** The blocks that were found since the last call, without the last one, which may still grow. */
  complete(): Block[] {
    if (this.found.length < 2) return [];
    const last = this.found.pop() as Block;
    const complete = this.found;
    this.found = [last];
    return complete;
  }

  end(): Block[] {
    this.flush(this.text.length);
    return this.found;
  }

  private enter(token: string, at: number): void {
    const parent = this.open.at(-1);
    const name = this.key?.name ?? (parent?.items === undefined ? '' : String(parent.items + 1));
    const start = this.key?.at ?? at;
    this.key = undefined;
    this.open.push({ name, items: token === '[' ? 0 : undefined });
    if (name === '' || this.open.length - 1 > MAX_DEPTH) return;
    if (this.holdsValues(start)) this.flush(start);
    this.isBack = false;
    this.found.push({ kind: 'heading', start: this.from, end: at + 1, level: this.open.length - 1, title: name });
    this.from = at + 1;
  }

  private next(at: number): void {
    const container = this.open.at(-1);
    this.key = undefined;
    if (container?.items !== undefined) container.items++;
    if (this.isBack || (this.open.length <= MAX_DEPTH && at - this.from >= ENOUGH_CHARS)) this.flush(at);
  }

  private leave(at: number): void {
    this.key = undefined;
    if (this.open.length - 1 <= MAX_DEPTH) this.flush(at);
    this.open.pop();
    this.isBack = this.open.length <= MAX_DEPTH;
  }

  private flush(to: number): void {
    if (to <= this.from) return;
    const isVisible = this.holdsValues(to);
    if (this.isBack && isVisible) {
      const { name } = this.open.at(-1) ?? { name: '' };
      const level = Math.max(1, this.open.length - 1);
      this.found.push({ kind: 'heading', start: this.from, end: this.from, level, title: name });
      this.isBack = false;
    }
    const last = this.found.at(-1);
    // Closing marks belong to the block that they close.
    if (!isVisible && last !== undefined && last.kind !== 'heading') last.end = to;
    else this.found.push({ kind: 'code', start: this.from, end: to, level: 0, title: '' });
    this.from = to;
  }

  /** Whether there is anything but marks up to a position. */
  private holdsValues(to: number): boolean {
    return /[^\s,[\]{}]/.test(this.text.slice(this.from, to));
  }
}

function nameOf(token: string): string {
  return token.slice(1, token.lastIndexOf('"')).slice(0, MAX_TITLE_CHARS);
}
