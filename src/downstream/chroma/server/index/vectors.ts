import { STOP_WORDS } from '../../../../text/stop-words.js';

/** How often each term that is not a stop word occurs. */
export function termFrequencies(terms: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) if (!STOP_WORDS.has(term)) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}

/** Scales the vector to length 1, in place; a zero vector is not changed. */
export function normalised(vector: Float32Array): Float32Array {
  let square = 0;
  for (const value of vector) square += value * value;
  if (square > 0) {
    const scale = 1 / Math.sqrt(square);
    for (let i = 0; i < vector.length; i++) vector[i]! *= scale;
  }
  return vector;
}

export function isZero(vector: Float32Array): boolean {
  return vector.every((value) => value === 0);
}
