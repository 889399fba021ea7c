import { floatOfBits, MagnitudeCounts } from './magnitudeCounts';
import { countWithin, lowerOfRank } from './scan';

/**
 * Finds the magnitude of a given rank exactly, without sorting: a radix select over the bits of the floats in two
 * passes, with a working set of 384 KB whatever the number of values. Both passes may come in chunks and go over
 * several blobs. NaN ranks above infinity.
 *
 *     count(values)…  narrow(rank)  refine(values)…  magnitude()
 */
export class RankFinder {
  private lower: Uint32Array | undefined;
  private bucket = -1;
  private rankInBucket = 0;

  /** @param upper counts that were gathered already, in place of the first pass */
  constructor(private readonly upper = new MagnitudeCounts()) {}

  /** First pass. */
  count(values: Float32Array): void {
    this.upper.add(values);
  }

  /** Between the passes: asks for the magnitude at index `rank` of all magnitudes sorted in descending order. */
  narrow(rank: number): void {
    const { first, counts } = this.upper;
    let left = rank;
    let i = counts.length - 1;
    while (i >= 0 && left >= counts[i]) left -= counts[i--];
    if (i < 0 || rank < 0) throw new RangeError(`there is no value of rank ${rank}`);
    this.bucket = first + i;
    this.rankInBucket = left;
  }

  /** Second pass, over the same values. */
  refine(values: Float32Array): void {
    countWithin(values, this.bucket, (this.lower ??= new Uint32Array(1 << 16)));
  }

  magnitude(): number {
    const lower = this.lower ?? [];
    let left = this.rankInBucket;
    let low = lower.length - 1;
    while (low >= 0 && left >= lower[low]) left -= lower[low--];
    return this.magnitudeAt(low);
  }

  /** Second pass and what comes of it, where all values are in one array. */
  magnitudeIn(values: Float32Array): number {
    return this.magnitudeAt(lowerOfRank(values, this.bucket, this.rankInBucket));
  }

  private magnitudeAt(low: number): number {
    if (low < 0) throw new Error('the second pass saw other values than the first');
    return floatOfBits(((this.bucket << 16) | low) >>> 0);
  }
}

/**
 * The magnitude at index `rank` of the magnitudes of `values` sorted in descending order.
 * @param counted the counts of the magnitudes, where they are gathered already
 */
export function magnitudeOfRank(values: Float32Array, rank: number, counted?: MagnitudeCounts): number {
  const finder = new RankFinder(counted);
  if (!counted) finder.count(values);
  finder.narrow(rank);
  return finder.magnitudeIn(values);
}
