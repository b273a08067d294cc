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
