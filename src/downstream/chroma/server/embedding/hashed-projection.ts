import { hash, mixed } from '../../../../text/fingerprint.js';
import { normalised, termFrequencies } from '../index/vectors.js';

export const PROJECTION_DIMENSIONS = 256;
/** In how many dimensions a term leaves its mark, one in each block of as many. */
const MARKS = 16;
const BLOCK = PROJECTION_DIMENSIONS / MARKS;

/**
 * The direction of a text by its terms alone, without training: each term has a random direction of its own, taken from its
 * hash and weighted by the logarithm of its count. The angle between two texts is about that between their term vectors:
 * Kane and Nelson, "Sparser Johnson-Lindenstrauss transforms" (2014), the block construction.
 */
export function embedProjected(terms: readonly string[]): Float32Array {
  const vector = new Float32Array(PROJECTION_DIMENSIONS);
  for (const [term, count] of termFrequencies(terms)) {
    const weight = Math.log(1 + count);
    const first = hash(term, 0x9e3779b9);
    const second = hash(term, 0x7f4a7c15) | 1;
    for (let mark = 0; mark < MARKS; mark++) {
      const bits = mixed(first + Math.imul(mark, second));
      vector[mark * BLOCK + ((bits >>> 1) % BLOCK)]! += bits & 1 ? weight : -weight;
    }
  }
  return normalised(vector);
}
