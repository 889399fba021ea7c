import { MagnitudeCounts } from './magnitudeCounts';
import { addMoments } from './scan';

/** Shares of the values at which {@link Statistics} tells |w|. */
export const quantileLevels = [0.01, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99] as const;

/** What a blob's values look like. All but the counts is about the finite values alone; NaN where there is none. */
export interface Statistics {
  count: number;
  /** Values that are not zero: NaN and infinities are among them, -0 is not. */
  nonZero: number;
  nan: number;
  infinite: number;
  min: number;
  max: number;
  mean: number;
  /** Population standard deviation: the root of the mean squared distance from the mean. */
  std: number;
  /** Sum of |w|. */
  l1: number;
  /** Root of the sum of w^2. */
  l2: number;
  /** Fourth central moment over the squared variance: 3 for a normal distribution; NaN where all values are equal. */
  kurtosis: number;
  /** |w| at each of {@link quantileLevels}, to a relative error of 2^-8. */
  quantiles: number[];
}

/** The statistics as a row of a table, by the names of its columns. */
export const statisticsColumns = ({ quantiles, ...single }: Statistics): Record<string, number> => ({
  ...single,
  ...Object.fromEntries(quantileLevels.map((level, i) => [`abs_q${level}`, quantiles[i]])),
});

/**
 * Gathers {@link Statistics} chunk by chunk, so that a blob never has to be in memory as a whole. The moments are
 * sums of powers of the distance from a value near the mean, in double precision: one pass, and no cancellation.
 */
export class StatisticsAccumulator {
  readonly magnitudes = new MagnitudeCounts();
  private count = 0;
  private zero = 0;
  private nan = 0;
  private infinite = 0;
  private min = Infinity;
  private max = -Infinity;
  private l1 = 0;
  private shift: number | undefined;
  private s1 = 0;
  private s2 = 0;
  private s3 = 0;
  private s4 = 0;

  add(values: Float32Array): void {
    this.count += values.length;
    this.shift ??= middleOf(values);
    const moments = addMoments(values, this.shift, this.magnitudes);
    this.min = Math.min(this.min, moments.min);
    this.max = Math.max(this.max, moments.max);
    this.zero += moments.zero;
    this.nan += moments.nan;
    this.infinite += moments.infinite;
    this.l1 += moments.l1;
    this.s1 += moments.s1;
    this.s2 += moments.s2;
    this.s3 += moments.s3;
    this.s4 += moments.s4;
  }

  result(): Statistics {
    const { count, nan, infinite, s2, shift = 0 } = this;
    const finite = count - nan - infinite;
    const [m1, m2, m3, m4] = [this.s1, s2, this.s3, this.s4].map((sum) => sum / finite);
    const variance = Math.max(0, m2 - m1 * m1);
    const fourth = m4 - 4 * m1 * m3 + 6 * m1 * m1 * m2 - 3 * m1 ** 4;
    const orNaN = (value: number) => (finite > 0 ? value : NaN);
    const smallest = Math.max(0, this.min, -this.max);
    const largest = Math.max(-this.min, this.max);
    return {
      count,
      nonZero: count - this.zero,
      nan,
      infinite,
      min: orNaN(this.min),
      max: orNaN(this.max),
      mean: shift + m1,
      std: Math.sqrt(variance),
      l1: orNaN(this.l1),
      // The sum of (d + shift)^2, from the sums of d.
      l2: orNaN(Math.sqrt(Math.max(0, s2 + 2 * shift * this.s1 + shift * shift * finite))),
      kurtosis: this.min < this.max ? fourth / (variance * variance) : NaN,
      // The middle of a bucket may lie beyond all values that are in it.
      quantiles: this.magnitudes
        .quantiles(quantileLevels)
        .map((quantile) => Math.min(largest, Math.max(smallest, quantile))),
    };
  }
}

/** The statistics of values that are in memory. */
export function statisticsOf(values: Float32Array): Statistics {
  const accumulator = new StatisticsAccumulator();
  accumulator.add(values);
  return accumulator.result();
}

/** A value near the mean: that of the first finite ones. */
function middleOf(values: Float32Array): number {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < values.length && i < 4096; i++) {
    if (!Number.isFinite(values[i])) continue;
    sum += values[i];
    count++;
  }
  return count > 0 ? sum / count : 0;
}
