/** Values that are summed at a time; of their sums the rest is put together. */
const group = 1024;
/** Rounds of k-means after which it is left as it is; a few dozen are usual. */
const mostRounds = 200;

/** Most bits of an index into a codebook. */
export const mostCodeBits = 16;

/** The values that the weights of a blob share. */
export interface Codebook {
  /** Bits of an index; one index is left for the zero of fillers. */
  bits: number;
  /** In ascending order. */
  values: Float32Array;
}

/** Rounds the weights to as many shared values as an index of `bits` bits can tell, in place. */
export function shareWeights(weights: Float32Array, bits: number): Codebook {
  const values = shareValues(weights, 2 ** bits - 1);
  roundToShared(weights, values);
  return { bits, values };
}

/**
 * The shared values that weights are rounded to (weight sharing; Han et al., Deep Compression, 2016, section 3):
 * one-dimensional k-means of the values that are not zero, begun with `count` centroids spread evenly over their
 * range, which keeps the few large weights best (section 3.2). Exact and the same every time: of sorted values, a
 * cluster is an interval.
 *
 * @param values NaN and infinities are left out
 * @returns at most `count` floats in ascending order, none of them twice
 */
export function shareValues(values: Float32Array, count: number): Float32Array {
  const sorted = values.filter((value) => value !== 0 && Number.isFinite(value)).sort();
  if (sorted.length === 0) return new Float32Array(0);
  const sumOf = sums(sorted);
  const [min, max] = [sorted[0], sorted[sorted.length - 1]];
  const centroids = Array.from({ length: count }, (_, i) =>
    count === 1 ? min : min + ((max - min) * i) / (count - 1),
  );
  /** Cluster c holds the sorted values from starts[c] to starts[c + 1]. */
  let starts: number[] = [];
  for (let round = 0; round < mostRounds; round++) {
    const next = [0, ...borders(centroids).map((border) => firstAbove(sorted, border)), sorted.length];
    if (next.every((start, i) => start === starts[i])) break;
    starts = next;
    for (let i = 0; i < count; i++) {
      const size = starts[i + 1] - starts[i];
      if (size > 0) centroids[i] = sumOf(starts[i], starts[i + 1]) / size;
    }
  }
  const used = centroids.filter((_, i) => starts[i + 1] > starts[i]);
  return Float32Array.from(new Set(Float32Array.from(used)));
}

/**
 * Rounds each finite value that is not zero to the nearest of the shared ones, the smaller of two as near, in place.
 * Zeros become +0, so that they take no room.
 */
export function roundToShared(values: Float32Array, shared: Float32Array): void {
  const between = Float64Array.from(borders(Array.from(shared)));
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === 0) values[i] = 0;
    else if (Number.isFinite(value)) values[i] = shared[firstNotBelow(between, value)];
  }
}

const borders = (centroids: readonly number[]): number[] =>
  centroids.slice(1).map((centroid, i) => (centroid + centroids[i]) / 2);

/** Index of the first value above `border`, in ascending values. */
function firstAbove(sorted: Float32Array, border: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] <= border) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the first border that is not below `value`. */
function firstNotBelow(ascending: Float64Array, value: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Sums of any range of values, in double precision; those of whole groups are ready. */
function sums(values: Float32Array): (from: number, to: number) => number {
  const plain = (from: number, to: number) => {
    let sum = 0;
    for (let i = from; i < to; i++) sum += values[i];
    return sum;
  };
  const groups = Float64Array.from({ length: Math.floor(values.length / group) }, (_, i) =>
    plain(i * group, (i + 1) * group),
  );
  return (from, to) => {
    const [first, last] = [Math.ceil(from / group), Math.floor(to / group)];
    if (first >= last) return plain(from, to);
    let sum = plain(from, first * group) + plain(last * group, to);
    for (let i = first; i < last; i++) sum += groups[i];
    return sum;
  };
}
