/** A sparse column: `indices[i]` is the row of `values[i]`. */
export interface SparseColumn {
  indices: Int32Array;
  values: Float32Array;
}

const OVERSAMPLING = 20;
const POWER_ITERATIONS = 2;

/**
 * The `rank` leading left singular vectors of a sparse matrix given by its columns, as a row-major `rows` × `rank` matrix; later
 * vectors are zero where the matrix has fewer. Randomised subspace iteration: Halko, Martinsson and Tropp, "Finding structure
 * with randomness" (2011), algorithms 4.4 and 5.1. The same input always gives the same output.
 */
export function leftSingularVectors(columns: readonly SparseColumn[], rows: number, rank: number): Float32Array {
  const width = Math.min(rank + OVERSAMPLING, columns.length, rows);
  const random = gaussians(1);
  let range = new Float64Array(rows * width);
  for (const column of columns) accumulate(range, column, Float64Array.from({ length: width }, random), width);
  orthonormalise(range, rows, width);
  for (let i = 0; i < POWER_ITERATIONS; i++) {
    const next = new Float64Array(rows * width);
    for (const column of columns) accumulate(next, column, project(range, column, width), width);
    range = next;
    orthonormalise(range, rows, width);
  }
  const gram = new Float64Array(width * width);
  for (const column of columns) {
    const image = project(range, column, width);
    for (let a = 0; a < width; a++) for (let b = 0; b < width; b++) gram[a * width + b]! += image[a]! * image[b]!;
  }
  const leading = leadingEigenvectors(gram, width).slice(0, rank);
  const result = new Float32Array(rows * rank);
  for (let row = 0; row < rows; row++) {
    for (const [at, vector] of leading.entries()) {
      let sum = 0;
      for (let j = 0; j < width; j++) sum += range[row * width + j]! * vector[j]!;
      result[row * rank + at] = sum;
    }
  }
  return result;
}

/** `target += column · weightsᵀ` */
function accumulate(
  target: Float64Array,
  { indices, values }: SparseColumn,
  weights: Float64Array,
  width: number,
): void {
  for (let e = 0; e < indices.length; e++) {
    const offset = indices[e]! * width;
    const value = values[e]!;
    for (let j = 0; j < width; j++) target[offset + j]! += value * weights[j]!;
  }
}

/** `matrixᵀ · column` */
function project(matrix: Float64Array, { indices, values }: SparseColumn, width: number): Float64Array {
  const image = new Float64Array(width);
  for (let e = 0; e < indices.length; e++) {
    const offset = indices[e]! * width;
    const value = values[e]!;
    for (let j = 0; j < width; j++) image[j]! += value * matrix[offset + j]!;
  }
  return image;
}

/** Gram-Schmidt, twice, over the columns of a row-major matrix; a column that depends on others becomes zero. */
function orthonormalise(matrix: Float64Array, rows: number, width: number): void {
  const columns = Array.from({ length: width }, (_, j) => {
    const column = new Float64Array(rows);
    for (let i = 0; i < rows; i++) column[i] = matrix[i * width + j]!;
    return column;
  });
  for (const [j, column] of columns.entries()) {
    const before = Math.sqrt(dot(column, column));
    for (let pass = 0; pass < 2; pass++) {
      for (let p = 0; p < j; p++) subtract(column, columns[p]!, dot(column, columns[p]!));
    }
    const length = Math.sqrt(dot(column, column));
    const scale = length > before * 1e-10 ? 1 / length : 0;
    for (let i = 0; i < rows; i++) matrix[i * width + j] = column[i]! *= scale;
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function subtract(from: Float64Array, vector: Float64Array, times: number): void {
  for (let i = 0; i < from.length; i++) from[i]! -= times * vector[i]!;
}

/** Eigenvectors of a symmetric matrix, the largest eigenvalue first: cyclic Jacobi rotations (Golub and Van Loan, 8.5). */
function leadingEigenvectors(matrix: Float64Array, n: number): Float64Array[] {
  const vectors = Array.from({ length: n }, (_, i) => {
    const unit = new Float64Array(n);
    unit[i] = 1;
    return unit;
  });
  const total = Math.sqrt(dot(matrix, matrix));
  for (let sweep = 0; sweep < 15; sweep++) {
    let largest = 0;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const off = Math.abs(matrix[p * n + q]!);
        largest = Math.max(largest, off);
        if (off > total * 1e-12) rotate(matrix, vectors, n, p, q);
      }
    }
    if (largest <= total * 1e-10) break;
  }
  return vectors
    .map((vector, i) => ({ vector, value: matrix[i * n + i]! }))
    .sort((a, b) => b.value - a.value)
    .map(({ vector }) => vector);
}

/** One rotation that makes `matrix[p][q]` zero; `vectors` holds the eigenvectors as its rows. */
function rotate(matrix: Float64Array, vectors: Float64Array[], n: number, p: number, q: number): void {
  const theta = (matrix[q * n + q]! - matrix[p * n + p]!) / (2 * matrix[p * n + q]!);
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const cosine = 1 / Math.sqrt(tangent * tangent + 1);
  const sine = tangent * cosine;
  for (let i = 0; i < n; i++) {
    const x = matrix[i * n + p]!;
    const y = matrix[i * n + q]!;
    matrix[i * n + p] = cosine * x - sine * y;
    matrix[i * n + q] = sine * x + cosine * y;
  }
  turn(matrix.subarray(p * n, p * n + n), matrix.subarray(q * n, q * n + n), cosine, sine);
  turn(vectors[p]!, vectors[q]!, cosine, sine);
}

function turn(a: Float64Array, b: Float64Array, cosine: number, sine: number): void {
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!;
    const y = b[i]!;
    a[i] = cosine * x - sine * y;
    b[i] = sine * x + cosine * y;
  }
}

/** Normally distributed numbers from a seeded generator (mulberry32, Box-Muller). */
function gaussians(seed: number): () => number {
  let state = seed;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}
