import { leftSingularVectors } from './svd.js';
import { normalised, termFrequencies } from '../chromadb/vectors.js';

/**
 * Latent semantic analysis: words that keep the same company point the same way, so that a passage is near a question that
 * uses other words for the same thing. Deerwester et al., "Indexing by latent semantic analysis" (1990); weights log-entropy
 * as in Dumais, "Improving the retrieval of information from external sources" (1991).
 */
export interface LsaModel {
  dimensions: number;
  /** Term → its row. */
  rows: ReadonlyMap<string, number>;
  /** What a term counts for by how unevenly it is spread: 0 evenly, 1 all in one passage. */
  weights: Float32Array;
  /** Row-major, terms × dimensions. */
  directions: Float32Array;
}

/** Enough for collections of this size; the literature has 100 to 300. */
export const LSA_DIMENSIONS = 128;
const MAX_TERMS = 30_000;

/** Trains on passages given by their terms. Takes about half a second for 1,400 abstracts: call it in a worker. */
export function trainLsa(passages: readonly (readonly string[])[]): LsaModel {
  const frequencies = passages.map(termFrequencies);
  const rows = vocabulary(frequencies);
  const weights = entropyWeights(frequencies, rows);
  const columns = frequencies
    .map((counts) => column({ rows, weights }, counts))
    .filter(({ indices }) => indices.length > 0);
  const directions = leftSingularVectors(columns, rows.size, LSA_DIMENSIONS);
  return { dimensions: LSA_DIMENSIONS, rows, weights, directions };
}

/** The direction of a text, of length 1; all zero where the model knows none of its terms. */
export function embedLsa(model: LsaModel, terms: readonly string[]): Float32Array {
  const { dimensions, directions } = model;
  const { indices, values } = column(model, termFrequencies(terms));
  const vector = new Float32Array(dimensions);
  for (let e = 0; e < indices.length; e++) {
    const offset = indices[e]! * dimensions;
    const value = values[e]!;
    for (let j = 0; j < dimensions; j++) vector[j]! += value * directions[offset + j]!;
  }
  return normalised(vector);
}

/** The most widespread terms; one that stands in a single passage ties nothing together. */
function vocabulary(passages: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const holding = new Map<string, number>();
  for (const counts of passages) for (const term of counts.keys()) holding.set(term, (holding.get(term) ?? 0) + 1);
  const chosen = [...holding]
    .filter(([, passages]) => passages > 1)
    .sort((a, b) => b[1] - a[1])
    .slice(0, MAX_TERMS);
  return new Map(chosen.map(([term], row) => [term, row]));
}

function entropyWeights(
  passages: readonly ReadonlyMap<string, number>[],
  rows: ReadonlyMap<string, number>,
): Float32Array {
  const totals = new Float64Array(rows.size);
  const sums = new Float64Array(rows.size);
  for (const counts of passages) {
    for (const [term, count] of counts) {
      const row = rows.get(term);
      if (row === undefined) continue;
      totals[row]! += count;
      sums[row]! += count * Math.log(count);
    }
  }
  // Σ p·log p with p = count / total is Σ count·log count / total − log total.
  const scale = Math.log(Math.max(2, passages.length));
  return Float32Array.from(totals, (total, row) => 1 + (sums[row]! / total - Math.log(total)) / scale);
}

function column({ rows, weights }: Pick<LsaModel, 'rows' | 'weights'>, counts: ReadonlyMap<string, number>) {
  const indices: number[] = [];
  const values: number[] = [];
  for (const [term, count] of counts) {
    const row = rows.get(term);
    if (row === undefined) continue;
    indices.push(row);
    values.push(Math.log(1 + count) * weights[row]!);
  }
  return { indices: Int32Array.from(indices), values: normalised(Float32Array.from(values)) };
}

/** Length of the vocabulary in bytes, the vocabulary, then the numbers. */
export function encodeLsa({ dimensions, rows, weights, directions }: LsaModel): Uint8Array {
  const vocabulary = Buffer.from(JSON.stringify({ dimensions, terms: [...rows.keys()] }));
  const head = Buffer.alloc(4);
  head.writeUInt32LE(vocabulary.length);
  return Buffer.concat([head, vocabulary, bytes(weights), bytes(directions)]);
}

export function decodeLsa(encoded: Uint8Array): LsaModel {
  const buffer = Buffer.from(encoded);
  const start = 4 + buffer.readUInt32LE();
  const { dimensions, terms } = JSON.parse(buffer.toString('utf8', 4, start)) as {
    dimensions: number;
    terms: string[];
  };
  const numbers = new Float32Array(new Uint8Array(buffer.subarray(start)).buffer);
  return {
    dimensions,
    rows: new Map(terms.map((term, row) => [term, row])),
    weights: numbers.subarray(0, terms.length),
    directions: numbers.subarray(terms.length),
  };
}

function bytes(numbers: Float32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}
