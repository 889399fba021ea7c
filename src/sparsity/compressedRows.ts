import { CaffeError } from '../caffe/errors';
import { phrase } from '../phrase';
import { bitsOf } from './magnitudeCounts';

/**
 * A matrix in compressed sparse row form, as scipy.sparse.csr_matrix((data, indices, indptr), shape) takes it. The
 * compressed column form of a matrix is the row form of its transpose.
 */
export interface CompressedRows {
  /** [rows, columns]. */
  shape: [number, number];
  data: Float32Array;
  /** Column of each entry, ascending within a row. */
  indices: Int32Array;
  /** Row r holds entries indptr[r]..indptr[r+1]-1; one more than there are rows. */
  indptr: Int32Array;
}

/** A blob as a matrix: the first axis over all others, as Caffe flattens a weight. */
export function matrixShape(shape: readonly number[]): [number, number] {
  const trimmed = shape.length > 2 ? shape.slice(shape.findIndex((dim) => dim !== 1)) : shape;
  const dims = trimmed.length > 0 ? trimmed : [1];
  const count = dims.reduce((product, dim) => product * dim, 1);
  return dims.length === 1 ? [1, count] : [dims[0], dims[0] === 0 ? 0 : count / dims[0]];
}

/** Encodes a row-major matrix; -0 counts as an entry. `order` 'columns' gives the compressed column form. */
export function encodeCompressed(
  values: Float32Array,
  [rows, columns]: [number, number],
  order: 'rows' | 'columns' = 'rows',
): CompressedRows {
  const bits = bitsOf(values);
  const [outer, inner] = order === 'rows' ? [rows, columns] : [columns, rows];
  const [outerStride, innerStride] = order === 'rows' ? [columns, 1] : [1, columns];
  let count = 0;
  for (let i = 0; i < bits.length; i++) if (bits[i] !== 0) count++;
  const data = new Float32Array(count);
  const indices = new Int32Array(count);
  const indptr = new Int32Array(outer + 1);
  let entry = 0;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const at = o * outerStride + i * innerStride;
      if (bits[at] === 0) continue;
      data[entry] = values[at];
      indices[entry++] = i;
    }
    indptr[o + 1] = entry;
  }
  return { shape: [rows, columns], data, indices, indptr };
}

/**
 * The row-major matrix.
 * @throws CaffeError when an index does not fit
 */
export function decodeCompressed(
  { shape: [rows, columns], data, indices, indptr }: CompressedRows,
  order: 'rows' | 'columns' = 'rows',
): Float32Array {
  const [outer, inner] = order === 'rows' ? [rows, columns] : [columns, rows];
  const [outerStride, innerStride] = order === 'rows' ? [columns, 1] : [1, columns];
  const fits = indptr.length === outer + 1 && indptr[0] === 0 && indptr[outer] === data.length;
  if (!fits || indices.length !== data.length || indptr.some((end, o) => o > 0 && end < indptr[o - 1])) {
    throw new CaffeError(phrase`indptr does not fit ${outer} rows and ${data.length} entries`);
  }
  const values = new Float32Array(rows * columns);
  for (let o = 0; o < outer; o++) {
    for (let entry = indptr[o]; entry < indptr[o + 1]; entry++) {
      const i = indices[entry];
      if (!(i >= 0 && i < inner)) throw new CaffeError(phrase`entry ${entry} has the index ${i} of ${inner}`);
      values[o * outerStride + i * innerStride] = data[entry];
    }
  }
  return values;
}

/** Bytes of the compressed row form with 32-bit indices. */
export const compressedBytes = (entries: number, outer: number): number => 8 * entries + 4 * (outer + 1);
