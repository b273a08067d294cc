import { hash, mixed } from '../../../../text/fingerprint.js';
import { normalised, termFrequencies } from '../index/vectors.js';

export const PROJECTION_DIMENSIONS = 256;
/** The number of dimensions that a term affects, one in each of as many blocks. */
const MARKS = 16;
const BLOCK = PROJECTION_DIMENSIONS / MARKS;

/**
 * The vector of a text from its terms only, without training: each term has a random direction, derived from its hash
 * and weighted by the logarithm of its count. The angle between two texts approximates the angle between their term
 * vectors: Kane and Nelson, "Sparser Johnson-Lindenstrauss transforms" (2014), the block construction.
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
