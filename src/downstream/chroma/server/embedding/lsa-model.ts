import { leftSingularVectors } from './svd.js';
import { normalised, termFrequencies } from '../index/vectors.js';

/**
 * Latent semantic analysis: words that occur in the same contexts have similar directions, so that a passage is near a
 * question that uses other words for the same thing. Deerwester et al., "Indexing by latent semantic analysis" (1990);
 * terms are weighted by the logarithm of their count and their inverse document frequency, one of the weightings
 * compared in Dumais, "Improving the retrieval of information from external sources" (1991).
 */
export interface LsaModel {
  dimensions: number;
  /** Term → row number. */
  rows: ReadonlyMap<string, number>;
  /** For each row, log(passages / passages that hold the term). */
  weights: Float32Array;
  /** The weight of a term that occurs in one passage only; such terms have no row. */
  rareWeight: number;
  /** Row-major, terms × dimensions. */
  directions: Float32Array;
}

/** Enough for collections of this size; the literature uses 100 to 300. */
const MAX_DIMENSIONS = 128;
/** With as many dimensions as terms, each term would keep its own direction and nothing would be learned. */
const MIN_TERMS_PER_DIMENSION = 5;
const MAX_TERMS = 30_000;

/** Trains on passages given by their terms. Takes about half a second for 1,400 abstracts: call it in a worker. */
export function trainLsa(passages: readonly (readonly string[])[]): LsaModel {
  const frequencies = passages.map(termFrequencies);
  const { rows, weights } = vocabulary(frequencies);
  const columns = frequencies
    .map((counts) => column({ rows, weights }, counts))
    .filter(({ indices }) => indices.length > 0);
  const dimensions = Math.max(1, Math.min(MAX_DIMENSIONS, Math.floor(rows.size / MIN_TERMS_PER_DIMENSION)));
  const directions = leftSingularVectors(columns, rows.size, dimensions);
  return { dimensions, rows, weights, rareWeight: Math.log(Math.max(2, passages.length)), directions };
}

/** The vector of a text, of length 1; all zero where the model knows none of its terms. */
export function embedLsa(model: LsaModel, terms: readonly string[]): Float32Array {
  return normalised(projected(model, termFrequencies(terms)));
}

/**
 * The share of a text that the vector represents, from 0 to 1: the length of its projection relative to its own length.
 * Low where its terms are unknown or rare, or where the project does not use them together as the text does.
 */
export function capturedByLsa(model: LsaModel, terms: readonly string[]): number {
  const counts = termFrequencies(terms);
  let known = 0;
  let unknown = 0;
  for (const [term, count] of counts) {
    const row = model.rows.get(term);
    if (row === undefined) unknown += (Math.log(1 + count) * model.rareWeight) ** 2;
    else known += (Math.log(1 + count) * model.weights[row]!) ** 2;
  }
  if (known === 0) return 0;
  return Math.hypot(...projected(model, counts)) * Math.sqrt(known / (known + unknown));
}

function projected(model: LsaModel, counts: ReadonlyMap<string, number>): Float32Array {
  const { dimensions, directions } = model;
  const { indices, values } = column(model, counts);
  const vector = new Float32Array(dimensions);
  for (let e = 0; e < indices.length; e++) {
    const offset = indices[e]! * dimensions;
    const value = values[e]!;
    for (let j = 0; j < dimensions; j++) vector[j]! += value * directions[offset + j]!;
  }
  return vector;
}

/** The most widespread terms with their weights. A term in a single passage relates no passages. */
function vocabulary(passages: readonly ReadonlyMap<string, number>[]): Pick<LsaModel, 'rows' | 'weights'> {
  const holding = new Map<string, number>();
  for (const counts of passages) for (const term of counts.keys()) holding.set(term, (holding.get(term) ?? 0) + 1);
  const chosen = [...holding]
    .filter(([, held]) => held > 1)
    .sort((a, b) => b[1] - a[1])
    .slice(0, MAX_TERMS);
  return {
    rows: new Map(chosen.map(([term], row) => [term, row])),
    weights: Float32Array.from(chosen, ([, held]) => Math.log(passages.length / held)),
  };
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

/** Layout: length of the vocabulary in bytes, the vocabulary, then the numbers. */
export function encodeLsa({ dimensions, rows, weights, rareWeight, directions }: LsaModel): Uint8Array {
  const vocabulary = Buffer.from(JSON.stringify({ dimensions, rareWeight, terms: [...rows.keys()] }));
  const head = Buffer.alloc(4);
  head.writeUInt32LE(vocabulary.length);
  return Buffer.concat([head, vocabulary, bytes(weights), bytes(directions)]);
}

export function decodeLsa(encoded: Uint8Array): LsaModel {
  const buffer = Buffer.from(encoded);
  const start = 4 + buffer.readUInt32LE();
  const { dimensions, rareWeight, terms } = JSON.parse(buffer.toString('utf8', 4, start)) as {
    dimensions: number;
    rareWeight: number;
    terms: string[];
  };
  const numbers = new Float32Array(new Uint8Array(buffer.subarray(start)).buffer);
  return {
    dimensions,
    rareWeight,
    rows: new Map(terms.map((term, row) => [term, row])),
    weights: numbers.subarray(0, terms.length),
    directions: numbers.subarray(terms.length),
  };
}

function bytes(numbers: Float32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}
