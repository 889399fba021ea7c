import { countBins } from './scan';

/** Counts of values in bins of equal width. */
export interface Histogram {
  /** Lower edge of the first bin. */
  min: number;
  /** Upper edge of the last bin; values that equal it are in that bin. */
  max: number;
  counts: Uint32Array;
}

/** Lower edge of bin `bin`, rounded to a float; for `bin = counts.length` the upper edge of the last one. */
export const binEdge = ({ min, max, counts }: Histogram, bin: number): number =>
  bin === counts.length ? max : Math.fround(min + bin * ((max - min) / counts.length));

/** More make no sense, and what counts them has no room. */
export const mostBins = 65_536;

/**
 * An empty histogram of `bins` bins over min..max, which are taken as floats. A range without width is widened by a
 * half on each side and one without finite ends is taken as 0..1, as numpy.histogram does.
 */
export function createHistogram(min: number, max: number, bins: number): Histogram {
  if (!(bins >= 1 && bins <= mostBins))
    throw new RangeError(`a histogram has 1 to ${mostBins} bins, not ${bins}`);
  const counts = new Uint32Array(bins);
  const [low, high] = [Math.fround(min), Math.fround(max)];
  if (high > low) return { min: low, max: high, counts };
  const middle = Number.isFinite(low) ? low : 0.5;
  return { min: Math.fround(middle - 0.5), max: Math.fround(middle + 0.5), counts };
}

/**
 * Counts `values` into the bins exactly as numpy.histogram does with floats: bin i holds edge(i) <= w < edge(i+1), the
 * edges rounded to floats, and the last one its upper edge too. Values outside the range, NaN among them, are not
 * counted.
 */
export function addToHistogram(histogram: Histogram, values: Float32Array): void {
  const { min, max, counts } = histogram;
  countBins(values, min, max, counts, (bin) => binEdge(histogram, bin));
}
