import type { Passage } from '../../contract/passage.contract.js';

/** Consecutive passages of a document are separated by white space only. */
const MAX_GAP_CHARS = 64;

/**
 * Joins consecutive passages of a document into one, because each completes the other. It takes the rank of the best of
 * them and the number of the first chunk.
 */
export function joinNeighbours(passages: readonly Passage[]): Passage[] {
  const byPlace = passages.toSorted((a, b) =>
    a.document < b.document ? -1 : a.document > b.document ? 1 : a.chunk - b.chunk,
  );
  const ranks = new Map(passages.map((passage, rank) => [passage, rank]));
  const joined: { passage: Passage; last: Passage; rank: number }[] = [];
  for (const passage of byPlace) {
    const rank = ranks.get(passage) ?? 0;
    const before = joined.at(-1);
    if (before !== undefined && follows(passage, before.last)) {
      before.passage = join(before.passage, passage);
      before.last = passage;
      before.rank = Math.min(before.rank, rank);
    } else joined.push({ passage, last: passage, rank });
  }
  return joined.sort((a, b) => a.rank - b.rank).map(({ passage }) => passage);
}

function follows(passage: Passage, before: Passage): boolean {
  const gap = passage.start - before.end;
  const isNext = passage.document === before.document && passage.chunk === before.chunk + 1;
  // A source has one page number.
  return isNext && passage.page === before.page && gap >= 0 && gap <= MAX_GAP_CHARS;
}

/** The highlights of the better one come first, because an answer quotes the first ones. */
function join(first: Passage, second: Passage): Passage {
  const [better, other] = second.score > first.score ? [second, first] : [first, second];
  const between = second.start === first.end ? '' : '\n\n';
  return {
    ...first,
    text: first.text + between + second.text,
    end: second.end,
    highlights: [...better.highlights, ...other.highlights],
    score: Math.max(first.score, second.score),
  };
}
