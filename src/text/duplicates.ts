import { areNear, type Fingerprint } from './fingerprint.js';
import type { LexicalImage, Ranked } from './lexical-image.js';

const HALVES = [
  ({ high }: Fingerprint) => high >>> 16,
  ({ high }: Fingerprint) => high & 0xffff,
  ({ low }: Fingerprint) => low >>> 16,
  ({ low }: Fingerprint) => low & 0xffff,
];

/**
 * Removes passages that are near-duplicates of a better one from a ranking. Passages that differ in a number are
 * separate records and stay, however similar their words are. Fingerprints that differ in three bits or fewer are equal
 * in at least one of their quarters, so only those with an equal quarter are compared (Manku et al., see
 * {@link areNear}).
 */
export function withoutDuplicates(ranked: readonly Ranked[], image: LexicalImage): Ranked[] {
  const kept: Ranked[] = [];
  const byQuarter = HALVES.map(() => new Map<number, { fingerprint: Fingerprint; numbers: number }[]>());
  for (const passage of ranked) {
    const mark = image.mark(passage.id);
    if (mark === undefined) continue;
    const quarters = HALVES.map((half) => half(mark.fingerprint));
    const isKnown = quarters.some((quarter, i) =>
      byQuarter[i]
        ?.get(quarter)
        ?.slice(0, MAX_COMPARED)
        .some(({ fingerprint, numbers }) => numbers === mark.numbers && areNear(fingerprint, mark.fingerprint)),
    );
    if (isKnown) continue;
    kept.push(passage);
    for (const [i, quarter] of quarters.entries()) {
      const there = byQuarter[i]?.get(quarter);
      if (there === undefined) byQuarter[i]?.set(quarter, [mark]);
      else there.push(mark);
    }
  }
  return kept;
}

/** The most passages with an equal quarter that are compared; more are records of one form. */
const MAX_COMPARED = 50;
