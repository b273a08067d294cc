import type { Block } from './block.js';
import { PAUSE_STEPS } from './paced.js';
import { isBlank, type Span } from './sentences.js';

export interface Line extends Span {
  /** Where its visible text begins; equal to `end` for a blank line. */
  indent: number;
}

export function* linesOf(text: string, from = 0, to = text.length): Generator<Line> {
  for (let start = from; start < to;) {
    const feed = text.indexOf('\n', start);
    const end = feed === -1 || feed > to ? to : feed;
    let indent = start;
    while (indent < end && isBlank(text.charCodeAt(indent))) indent++;
    yield { start, end, indent };
    start = end + 1;
  }
}

/** Makes blocks of the lines that it is given in order. A block in `found` is complete. */
export interface LineReader {
  readonly found: Block[];
  take(line: Line): void;
  end(): void;
}

/** The blocks of a text, each as soon as its reader has completed it. */
export function* blocksOfLines(text: string, reader: LineReader): Generator<Block | undefined> {
  const { found } = reader;
  let lines = 0;
  for (const line of linesOf(text)) {
    reader.take(line);
    yield* found;
    found.length = 0;
    if (++lines % PAUSE_STEPS === 0) yield undefined;
  }
  reader.end();
  yield* found;
}
