import { keepThreshold } from './selection';
import { magnitudeOfRank } from './rank';

/** A mask of a blob: 1 where a weight lives, 0 where it is pruned. */
export type Mask = Float32Array;

/** The mask of what is not zero. */
export const maskOfNonZero = (values: Float32Array): Mask => values.map((value) => (value === 0 ? 0 : 1));

/**
 * The mask that keeps the share `keep` of the largest magnitudes, by the rule of {@link keepThreshold}; where that
 * would leave nothing, the largest one stays.
 */
export function maskOfKeep(values: Float32Array, keep: number): Mask {
  const threshold = keepThreshold(values, keep);
  const largest = magnitudeOfRank(values, 0);
  return threshold >= largest
    ? values.map((value) => (Math.abs(value) >= largest ? 1 : 0))
    : values.map((value) => (Math.abs(value) > threshold ? 1 : 0));
}

/** Weights that live. */
export const countKept = (mask: Mask): number => mask.reduce((sum, value) => sum + value, 0);

/**
 * Network surgery (Guo, Yao & Chen, Dynamic Network Surgery, 2016, equation 3): a weight is pruned below the lower of
 * two thresholds, comes back above the upper one, and in between stays as it is. The thresholds are 0.9 and 1.1 times
 * the magnitude that keeps the share `keep`.
 *
 * @param values all weights, those under the mask too
 * @param mask is changed in place
 */
export function splice(values: Float32Array, mask: Mask, keep: number): void {
  const middle = Math.max(0, keepThreshold(values, keep));
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i]);
    if (magnitude <= 0.9 * middle) mask[i] = 0;
    else if (magnitude > 1.1 * middle) mask[i] = 1;
  }
}

/**
 * The keep ratio of gradual pruning at `progress` (0..1) on the way from `initial` to `final`: the sparsity follows a
 * cubic that is steep at first (Zhu & Gupta, To Prune, or Not to Prune, 2017, equation 1).
 */
export const gradualKeep = (initial: number, final: number, progress: number): number =>
  final + (initial - final) * (1 - Math.min(1, Math.max(0, progress))) ** 3;
