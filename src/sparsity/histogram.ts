import { countBins } from './scan';

/** Counts of values in bins of equal width. */
export interface Histogram {
  /** Lower edge of the first bin. */
  min: number;
  /** Upper edge of the last bin; values that equal it are in that bin. */
  max: number;
  counts: Uint32Array;
}

/** Lower edge of bin `bin`; for `bin = counts.length` the upper edge of the last one. */
export const binEdge = ({ min, max, counts }: Histogram, bin: number): number =>
  bin === counts.length ? max : min + bin * ((max - min) / counts.length);

/**
 * An empty histogram of `bins` bins over min..max. A range without width is widened by a half on each side and one
 * without finite ends is taken as 0..1, as numpy.histogram does.
 */
export function createHistogram(min: number, max: number, bins: number): Histogram {
  const counts = new Uint32Array(bins);
  if (max > min) return { min, max, counts };
  const middle = Number.isFinite(min) ? min : 0.5;
  return { min: middle - 0.5, max: middle + 0.5, counts };
}

/**
 * Counts `values` into the bins as numpy.histogram does: bin i holds edge(i) <= w < edge(i+1), the last one its upper
 * edge too. Values outside the range, NaN among them, are not counted.
 */
export const addToHistogram = ({ min, max, counts }: Histogram, values: Float32Array): void =>
  countBins(values, min, max, counts);
