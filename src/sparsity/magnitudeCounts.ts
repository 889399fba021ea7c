import { countMagnitudes, type UpperCounts } from './scan';

/** First bucket of {@link MagnitudeCounts} that holds no finite magnitude: infinity and NaN. */
const infiniteBucket = 0x7f80;

const scratch = new DataView(new ArrayBuffer(4));

/** The float that has these 32 bits. */
export function floatOfBits(bits: number): number {
  scratch.setUint32(0, bits);
  return scratch.getFloat32(0);
}

function bitsOfFloat(value: number): number {
  scratch.setFloat32(0, value);
  return scratch.getUint32(0);
}

/** The bits of floats; with the sign bit masked off, their order is the order of the magnitudes. */
export const bitsOf = (values: Float32Array): Uint32Array =>
  new Uint32Array(values.buffer, values.byteOffset, values.length);

/** {@link MagnitudeCounts} of which `counts[i]` belongs to bucket `first + i`: what is sent to a page. */
export interface TrimmedCounts {
  first: number;
  counts: Uint32Array;
}

/**
 * How many values have which magnitude, by the upper 16 bits of the float: the bits of non-negative floats are
 * ordered as the floats are, so this is a histogram of |w| with buckets of a relative width of 2^-7 over the whole
 * range of floats. It gives thresholds and zeros without another look at the values, and is the first pass of
 * exact selection (`RankFinder`).
 */
export class MagnitudeCounts implements UpperCounts {
  first = 0;
  counts = new Uint32Array(0);

  add(values: Float32Array): void {
    countMagnitudes(values, this);
  }

  /** The counts alone, without the empty buckets at both ends. */
  trim(): TrimmedCounts {
    return { first: this.first, counts: this.counts };
  }

  /**
   * The magnitudes at the shares `levels` (0..1, ascending) of the finite values in ascending order, each as the middle
   * of its bucket: right to a relative error of 2^-8. 0 for zeros, NaN when there is no finite value.
   */
  quantiles(levels: readonly number[]): number[] {
    const { first, counts } = this;
    const finite = counts.subarray(0, Math.max(0, infiniteBucket - first));
    let total = 0;
    for (let i = 0; i < finite.length; i++) total += finite[i];
    let i = 0;
    let before = 0;
    return levels.map((level) => {
      if (total === 0) return NaN;
      const rank = Math.min(total - 1, Math.floor(level * total));
      while (rank >= before + finite[i]) before += finite[i++];
      const bucket = first + i;
      // The first bucket holds zeros and next to nothing else.
      return bucket === 0 ? 0 : floatOfBits((bucket << 16) | 0x8000);
    });
  }
}

/**
 * How many of the values have |w| <= threshold: exact at the borders of buckets, in between taken as evenly spread
 * over the bucket. NaN is never counted.
 */
export function countAtMost({ first, counts }: TrimmedCounts, threshold: number): number {
  if (!(threshold >= 0)) return 0;
  const bits = bitsOfFloat(Math.fround(threshold));
  const bucket = bits >>> 16;
  const within = bucket - first;
  let sum = 0;
  for (let i = 0; i < Math.min(within, counts.length); i++) sum += counts[i];
  if (within >= 0 && within < counts.length) {
    const whole = bucket === 0 || bucket >= infiniteBucket;
    sum += whole ? counts[within] : Math.round((counts[within] * ((bits & 0xffff) + 1)) / 0x10000);
  }
  return sum;
}

/** The threshold at which about the share `keep` (0..1) of the values stays: for display while a slider moves. */
export function approximateThreshold({ first, counts }: TrimmedCounts, keep: number): number {
  let total = 0;
  for (const count of counts) total += count;
  let prune = Math.max(0, Math.min(total, Math.round((1 - keep) * total)));
  for (let i = 0; i < counts.length; i++) {
    if (counts[i] > 0 && prune <= counts[i]) {
      if (first + i === 0) return 0;
      const from = floatOfBits((first + i) << 16);
      const to = floatOfBits((first + i + 1) << 16);
      return from + ((to - from) * prune) / counts[i];
    }
    prune -= counts[i];
  }
  return 0;
}
