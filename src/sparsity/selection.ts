import type { Random } from '../caffe/random';
import type { WeightGeometry } from './geometry';
import { floatOfBits, type MagnitudeCounts } from './magnitudeCounts';
import { magnitudeOfRank } from './rank';
import { countZeros, largestMagnitudeBits, zeroAtOrBelow } from './scan';

/**
 * How the weights of one blob to prune are chosen.
 * - `keep`: the share of the largest |w| stays (see {@link keepThreshold}).
 * - `threshold`: what is above the threshold stays.
 * - `std`: the threshold is `factor` standard deviations of the blob (Han et al., Learning both Weights and
 *   Connections, 2015).
 * - `n:m`: of each `m` consecutive input channels the `n` largest |w| stay (2:4 is what sparse tensor cores take).
 * - `filters`: whole filters or neurons with the smallest L1 norm go (Li et al., Pruning Filters, 2017); `keep` is the
 *   share of filters that stays, by the same rule as for weights.
 * - `random`: a weight at or below the threshold survives with probability |w| / threshold.
 */
export type Rule =
  | { method: 'keep'; keep: number }
  | { method: 'threshold'; threshold: number }
  | { method: 'std'; factor: number }
  | { method: 'n:m'; n: number; m: number }
  | { method: 'filters'; keep: number }
  | { method: 'random'; keep: number };

/** What pruning a blob did. */
export interface Pruned {
  /** The |w| (or the L1 norm of a filter) up to which values went; absent where there is no single one. */
  threshold?: number;
  /** Zeros in the blob afterwards. */
  zeros: number;
  /** Outputs (filters, neurons) of which all weights are zero now. */
  deadOutputs: number;
  /** True where the rule alone would have left nothing, so that the largest weights were spared. */
  floored: boolean;
}

/**
 * The threshold of a keep ratio: of `scores` (magnitudes, or another saliency) sorted in descending order the one
 * at index int((n-1) * keep). What is *above* it stays, so of ties at the threshold none does, and the largest score
 * goes too at keep = 0. NaN ranks above all and stays. A ratio of 1 or more means untouched: -1.
 * @param counted the counts of the scores' magnitudes, where they are gathered already
 */
export function keepThreshold(scores: Float32Array, keep: number, counted?: MagnitudeCounts): number {
  if (keep >= 1 || scores.length === 0) return -1;
  return magnitudeOfRank(scores, rankOfKeep(scores.length, keep), counted);
}

/** Index, in descending order, of the score that is the threshold for keeping the share `keep` of `count` scores. */
export const rankOfKeep = (count: number, keep: number): number =>
  Math.trunc((count - 1) * Math.max(0, keep));

/** What a rule may need besides the values. */
export interface PruneContext {
  geometry: WeightGeometry;
  /** Standard deviation of the values, for `std`. */
  std: number;
  /** Drawn from once for each weight that `random` may prune, in order. */
  random: Random;
  /** A score for each value in place of |w|, for the rules that rank: the larger, the more it matters. */
  saliency?: Float32Array;
  /** The counts of the values' magnitudes, where they are gathered already. */
  magnitudes?: MagnitudeCounts;
}

/**
 * Prunes `values` in place by `rule`: what goes becomes +0. When nothing but zeros would be left of a blob that had
 * weights, the largest score (all that tie with it) is spared: a layer without any weight passes nothing on.
 */
export function pruneBlob(values: Float32Array, rule: Rule, context: PruneContext): Pruned {
  const { geometry, saliency = values } = context;
  const counted = saliency === values ? context.magnitudes : undefined;
  let threshold: number | undefined;
  let zeros: number | undefined;
  let floored = false;
  switch (rule.method) {
    case 'n:m':
      pruneGroups(values, rule.n, rule.m, geometry, saliency);
      break;
    case 'filters':
      threshold = pruneFilters(values, rule.keep, geometry, saliency);
      break;
    case 'random':
      threshold = keepThreshold(saliency, rule.keep, counted);
      pruneRandomly(values, threshold, saliency, context.random);
      break;
    default: {
      threshold =
        rule.method === 'keep'
          ? keepThreshold(saliency, rule.keep, counted)
          : rule.method === 'threshold'
            ? rule.threshold
            : rule.factor * context.std;
      if (!isAnyAbove(saliency, threshold)) {
        const largest = floatOfBits(largestMagnitudeBits(saliency));
        floored = largest > 0;
        if (floored) threshold = below(largest);
      }
      const pruned = zeroAtOrBelow(values, threshold, saliency);
      if (saliency === values && threshold >= 0) zeros = pruned;
    }
  }
  return {
    threshold: threshold !== undefined && threshold >= 0 ? threshold : undefined,
    zeros: zeros ?? countZeros(values),
    deadOutputs: countDeadOutputs(values, geometry),
    floored,
  };
}

/** Looks no further than to the first. */
function isAnyAbove(scores: Float32Array, threshold: number): boolean {
  for (let i = 0; i < scores.length; i++) if (Math.abs(scores[i]) > threshold) return true;
  return false;
}

/** The largest float below `value` (> 0). */
function below(value: number): number {
  const scratch = new DataView(new ArrayBuffer(4));
  scratch.setFloat32(0, value);
  scratch.setUint32(0, scratch.getUint32(0) - 1);
  return scratch.getFloat32(0);
}

/** Of each group of `m` consecutive input channels the `n` largest stay, the first of ties; a last, smaller group too. */
function pruneGroups(
  values: Float32Array,
  n: number,
  m: number,
  { outputs, outputStride, inputs, inputStride, spatial }: WeightGeometry,
  scores: Float32Array,
): void {
  const at = new Int32Array(m);
  const magnitude = new Float32Array(m);
  for (let output = 0; output < outputs; output++) {
    for (let offset = 0; offset < spatial; offset++) {
      for (let first = 0; first < inputs; first += m) {
        let size = Math.min(m, inputs - first);
        for (let i = 0; i < size; i++) {
          at[i] = output * outputStride + (first + i) * inputStride + offset;
          magnitude[i] = Math.abs(scores[at[i]]);
        }
        while (size > n) {
          // The last of the smallest goes; NaN is never among them.
          let least = -1;
          for (let i = 0; i < size; i++) {
            if (magnitude[i] <= (least < 0 ? Infinity : magnitude[least])) least = i;
          }
          if (least < 0) break;
          values[at[least]] = 0;
          at.copyWithin(least, least + 1, size);
          magnitude.copyWithin(least, least + 1, size);
          size--;
        }
      }
    }
  }
}

function pruneFilters(
  values: Float32Array,
  keep: number,
  geometry: WeightGeometry,
  scores: Float32Array,
): number {
  const norms = new Float32Array(geometry.outputs);
  forEachWeight(geometry, (at, output) => {
    norms[output] += Math.abs(scores[at]);
  });
  let threshold = keepThreshold(norms, keep);
  const largest = magnitudeOfRank(norms, 0);
  if (threshold >= largest && largest > 0) threshold = below(largest);
  forEachWeight(geometry, (at, output) => {
    if (norms[output] <= threshold) values[at] = 0;
  });
  return threshold;
}

function pruneRandomly(values: Float32Array, threshold: number, scores: Float32Array, random: Random): void {
  for (let i = 0; i < values.length; i++) {
    const score = Math.abs(scores[i]);
    if (score <= threshold && !(random.unit() < score / threshold)) values[i] = 0;
  }
}

function countDeadOutputs(values: Float32Array, geometry: WeightGeometry): number {
  let dead = 0;
  for (let output = 0; output < geometry.outputs; output++) if (!isAlive(values, output, geometry)) dead++;
  return dead;
}

/** Whether an output has a weight other than zero; looks no further than to the first. */
function isAlive(values: Float32Array, output: number, geometry: WeightGeometry): boolean {
  const { outputStride, inputs, inputStride, spatial } = geometry;
  for (let input = 0; input < inputs; input++) {
    const first = output * outputStride + input * inputStride;
    for (let at = first; at < first + spatial; at++) if (values[at] !== 0) return true;
  }
  return false;
}

/** Calls `visit` with the index of each weight and its output. */
function forEachWeight(
  { outputs, outputStride, inputs, inputStride, spatial }: WeightGeometry,
  visit: (at: number, output: number) => void,
): void {
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) {
      const first = output * outputStride + input * inputStride;
      for (let offset = 0; offset < spatial; offset++) visit(first + offset, output);
    }
  }
}
