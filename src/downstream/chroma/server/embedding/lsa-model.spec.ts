import { embedProjected } from './hashed-projection.js';
import { capturedByLsa, decodeLsa, embedLsa, encodeLsa, trainLsa } from './lsa-model.js';
import { leftSingularVectors, type SparseColumn } from './svd.js';

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}

/** Deterministic, evenly spread over 0 to 1. */
const noise = (i: number) => Math.abs(Math.sin(i * 12.9898) * 43758.5453) % 1;

describe('leftSingularVectors', () => {
  it('finds an orthonormal basis of a matrix of low rank', () => {
    const [rows, columns, rank] = [60, 80, 5];
    const left = Array.from({ length: rows * rank }, (_, i) => noise(i) - 0.5);
    const right = Array.from({ length: columns * rank }, (_, i) => noise(i + 10_000) - 0.5);
    const matrix = Array.from({ length: columns }, (_, c): SparseColumn => {
      const values = Float32Array.from({ length: rows }, (_, r) =>
        Array.from({ length: rank }, (_, k) => (left[r * rank + k] as number) * (right[c * rank + k] as number)).reduce(
          (a, b) => a + b,
        ),
      );
      return { indices: Int32Array.from(values.keys()), values };
    });
    const basis = leftSingularVectors(matrix, rows, rank);
    const vector = (k: number) => Float32Array.from({ length: rows }, (_, r) => basis[r * rank + k] as number);
    for (let a = 0; a < rank; a++) {
      for (let b = 0; b < rank; b++) expect(cosine(vector(a), vector(b))).toBeCloseTo(a === b ? 1 : 0, 4);
    }
    for (const { values } of matrix) {
      const inside = Array.from({ length: rank }, (_, k) => cosine(vector(k), values) ** 2).reduce((a, b) => a + b);
      expect(inside).toBeCloseTo(cosine(values, values), 4);
    }
  });

  it('returns zero vectors beyond the rank of a smaller matrix', () => {
    const one: SparseColumn = { indices: Int32Array.of(0), values: Float32Array.of(2) };
    const basis = leftSingularVectors([one], 3, 4);
    expect([...basis].map((value) => Math.abs(value))).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });
});

describe('the trained embedder', () => {
  const topics = [
    ['ship', 'sea', 'sail', 'wind'],
    ['boat', 'sea', 'sail', 'wind'],
    ['bread', 'oven', 'flour'],
  ];
  /** Each passage has words that belong to nothing besides those of its topic. */
  const passages = Array.from({ length: 600 }, (_, i) => [
    ...(topics[i % 3] as string[]),
    ...Array.from({ length: 4 }, (_, j) => `noise${Math.floor(300 * noise(4 * i + j))}`),
  ]);

  it('places words near those of the same contexts, and can be stored and loaded', () => {
    const model = decodeLsa(encodeLsa(trainLsa(passages)));
    const of = (...terms: string[]) => embedLsa(model, terms);
    expect(cosine(of('ship'), of('sea', 'sail', 'wind'))).toBeGreaterThan(0.3);
    expect(cosine(of('ship'), of('bread', 'oven', 'flour'))).toBeLessThan(0.1);
    expect(cosine(of('ship'), of('ship'))).toBeCloseTo(1, 5);
    expect(of('unknown').every((value) => value === 0)).toBe(true);
  });

  it('reports the share of a text that the vector represents', () => {
    const model = decodeLsa(encodeLsa(trainLsa(passages)));
    expect(capturedByLsa(model, ['ship', 'sea', 'sail', 'wind'])).toBeGreaterThan(0.7);
    expect(capturedByLsa(model, ['ship', 'unknown', 'words'])).toBeLessThan(0.5);
    expect(capturedByLsa(model, ['unknown'])).toBe(0);
    expect(capturedByLsa(model, [])).toBe(0);
  });

  it('can be trained on almost no data', () => {
    for (const few of [[], [[]], [['a']], [['a'], ['a']]]) {
      expect(embedLsa(trainLsa(few), ['a']).every(Number.isFinite)).toBe(true);
    }
  });
});

describe('embedProjected', () => {
  it('approximately keeps the angle between texts', () => {
    const text = Array.from({ length: 40 }, (_, i) => `term${i}`);
    const other = Array.from({ length: 40 }, (_, i) => `other${i}`);
    const half = [...text.slice(0, 20), ...other.slice(0, 20)];
    expect(cosine(embedProjected(text), embedProjected(text))).toBeCloseTo(1, 5);
    expect(cosine(embedProjected(text), embedProjected(half))).toBeCloseTo(0.5, 0);
    expect(Math.abs(cosine(embedProjected(text), embedProjected(other)))).toBeLessThan(0.25);
  });
});
