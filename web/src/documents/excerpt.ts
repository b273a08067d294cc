import { blocksOf } from '../markdown/blocks.ts';
import type { Range } from '../markdown/mark.ts';

export interface Excerpt {
  text: string;
  range: Range;
}

/** The whole blocks within `around` characters of a range, with the range in it. */
export function excerptAround(text: string, { start, end }: Range, around: number): Excerpt {
  const near = blocksOf(text).filter(
    (block) => block.start + block.text.length > start - around && block.start < end + around,
  );
  const from = near[0]?.start ?? 0;
  return { text: near.map((block) => block.text).join(''), range: { start: start - from, end: end - from } };
}
