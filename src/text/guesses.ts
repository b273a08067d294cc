import type { LexicalImage } from './lexical-image.js';

const MIN_CHARS = 3;
const MAX_GUESSES = 20;
const WORD = /^\p{L}+$/u;

/** Candidates for a word that no passage holds: words that begin with it, or that differ in one or two letters. */
export function guessesFor(word: string, image: LexicalImage): string[] {
  if (word.length < MIN_CHARS || !WORD.test(word)) return [];
  const allowed = word.length <= 4 ? 1 : 2;
  const begun: string[] = [];
  const near = new Map<number, string[]>();
  for (const term of image.longWords(MIN_CHARS)) {
    if (term.startsWith(word)) begun.push(term);
    else if (term[0] === word[0] && Math.abs(term.length - word.length) <= allowed && WORD.test(term)) {
      const distance = editDistance(word, term, allowed);
      if (distance <= allowed) near.set(distance, [...(near.get(distance) ?? []), term]);
    }
  }
  if (begun.length > 0) return mostFrequent(begun, image);
  return mostFrequent(near.get(1) ?? near.get(2) ?? [], image);
}

function mostFrequent(terms: readonly string[], image: LexicalImage): string[] {
  return terms.toSorted((a, b) => image.frequency(b) - image.frequency(a)).slice(0, MAX_GUESSES);
}

/**
 * The optimal string alignment distance: how many letters must be added, removed, changed or swapped with their
 * neighbour to turn one word into the other. More than `limit` counts as `limit + 1`.
 */
export function editDistance(a: string, b: string, limit: number): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (last[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const cost = Math.min(changed, (last[j] as number) + 1, (row[j - 1] as number) + 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(isSwap ? Math.min(cost, (before[j - 2] as number) + 1) : cost);
    }
    if (Math.min(...row) > limit) return limit + 1;
    before = last;
    last = row;
  }
  return Math.min(limit + 1, last[b.length] as number);
}
