import type { Ranked } from '../../../../text/lexical-image.js';

/** Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet" (2009): their constant. */
const RANK_OFFSET = 60;

/** One ranking out of several, by the places that a passage has in them; what the scores measure does not matter. */
export function fused(...rankings: readonly (readonly Ranked[])[]): Ranked[] {
  const scores = new Map<number, number>();
  for (const ranking of rankings) {
    for (const [place, { id }] of ranking.entries()) {
      scores.set(id, (scores.get(id) ?? 0) + 1 / (RANK_OFFSET + place + 1));
    }
  }
  return [...scores].map(([id, score]) => ({ id, score })).sort((a, b) => b.score - a.score || a.id - b.id);
}
