import { hash } from '../../../text/fingerprint.js';
import { normalised, termFrequencies } from './vectors.js';

export const PROJECTION_DIMENSIONS = 256;

/**
 * The direction of a text by its terms alone, without training: each term has a random direction of its own (signs taken from
 * its hash), weighted by the logarithm of its count. The angle between two texts is that between their term vectors, up to the
 * error of a random projection: Achlioptas, "Database-friendly random projections" (2003).
 */
export function embedProjected(terms: readonly string[]): Float32Array {
  const vector = new Float32Array(PROJECTION_DIMENSIONS);
  for (const [term, count] of termFrequencies(terms)) {
    const weight = Math.log(1 + count);
    for (let word = 0; word < PROJECTION_DIMENSIONS / 32; word++) {
      const bits = hash(term, 0x9e3779b9 ^ word);
      for (let bit = 0; bit < 32; bit++) vector[word * 32 + bit]! += (bits >>> bit) & 1 ? weight : -weight;
    }
  }
  return normalised(vector);
}
