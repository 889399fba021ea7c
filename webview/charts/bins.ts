import type { Histogram } from '../../src/sparsity/histogram';

export interface Range {
  min: number;
  max: number;
}

/** Joins neighbouring bins into `bins`, which must divide their number. */
export function joinBins({ min, max, counts }: Histogram, bins: number): Histogram {
  const joined = new Uint32Array(bins);
  const perBin = counts.length / bins;
  for (let i = 0; i < counts.length; i++) joined[Math.floor(i / perBin)] += counts[i];
  return { min, max, counts: joined };
}

/**
 * A guess of the counts over another range, with the values of a bin taken as evenly spread: what is drawn until the
 * exact counts are there.
 */
export function guessBins(histogram: Histogram, { min, max }: Range, bins: number): Histogram {
  const counts = new Uint32Array(bins);
  const from = (histogram.max - histogram.min) / histogram.counts.length;
  const to = (max - min) / bins;
  for (let bin = 0; bin < bins; bin++) {
    const left = (min + bin * to - histogram.min) / from;
    const right = left + to / from;
    let sum = 0;
    const last = Math.min(histogram.counts.length - 1, Math.floor(right));
    for (let source = Math.max(0, Math.floor(left)); source <= last; source++) {
      const share = Math.min(right, source + 1) - Math.max(left, source);
      if (share > 0) sum += histogram.counts[source] * share;
    }
    counts[bin] = Math.round(sum);
  }
  return { min, max, counts };
}

/** Round numbers within a range, about `count` of them. */
export function ticks({ min, max }: Range, count: number): number[] {
  const span = max - min;
  if (!(span > 0)) return [];
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const result: number[] = [];
  for (let i = Math.ceil(min / step); i * step <= max; i++) result.push(Number((i * step).toPrecision(12)));
  return result;
}

/** The ticks of a count axis: powers of ten on a logarithmic one. */
export function countTicks(most: number, logarithmic: boolean): number[] {
  if (!logarithmic) return ticks({ min: 0, max: most }, 4).filter(Number.isInteger);
  const powers: number[] = [];
  for (let power = 1; power <= most; power *= 10) powers.push(power);
  const every = Math.ceil(powers.length / 5);
  return powers.filter((_, index) => index % every === 0);
}

/** Where a count stands on the axis, 0..1. On a logarithmic axis one value is a visible step above none. */
export const countHeight = (count: number, most: number, logarithmic: boolean): number =>
  most <= 0 || count <= 0
    ? 0
    : logarithmic
      ? (Math.log10(count) + 0.5) / (Math.log10(most) + 0.5)
      : count / most;

/** The range around `centre` after zooming by `factor` (below 1: in), kept within `limits`; undefined: all of it. */
export function zoom(range: Range, limits: Range, centre: number, factor: number): Range | undefined {
  const span = (range.max - range.min) * factor;
  if (span >= limits.max - limits.min) return undefined;
  // Below this, neighbouring bins would differ by less than the precision of a float.
  const least = Math.max(Math.abs(limits.min), Math.abs(limits.max)) * 2 ** -20;
  if (span < least) return range;
  const share = (centre - range.min) / (range.max - range.min);
  return shift({ min: centre - share * span, max: centre + (1 - share) * span }, limits);
}

/** The range moved into the limits, its width kept. */
export function shift({ min, max }: Range, limits: Range): Range {
  const span = max - min;
  if (min < limits.min) return { min: limits.min, max: limits.min + span };
  if (max > limits.max) return { min: limits.max - span, max: limits.max };
  return { min, max };
}
