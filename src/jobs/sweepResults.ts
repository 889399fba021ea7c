import { atomicWrite } from '../caffe/atomicWrite';
import { CaffeError } from '../caffe/errors';
import { withoutExtension } from '../caffe/modelName';
import { readText } from '../caffe/readText';
import { listed, phrase } from '../phrase';
import type { SensitivityPoint } from '../sparsity/sensitivity';
import { isList, isNumber, isText } from './fromJson';
import { accuracyOf, lossOf, type Sums } from './tally';

/** How the weights of a layer are ordered: by magnitude |w|, or by what the loss would lose (see saliency.ts). */
export type Ranking = 'magnitude' | 'saliency';

/** One measurement: a single layer pruned to a keep ratio, all others whole. */
export interface SweepPoint {
  layer: string;
  /** Fraction of the layer's weights to keep, 0..1. */
  keep: number;
  /** Weights that are kept; ties at the threshold make it fewer than asked for. */
  kept: number;
  sums: Sums;
  /**
   * `measured` on all items; `collapsed`: left after some items, because the accuracy is gone; `skipped`: a larger
   * keep ratio of the layer has collapsed; `open`: still to be measured, on the items after `sums.items`.
   */
  state: (typeof states)[number];
}

const states = ['open', 'measured', 'collapsed', 'skipped'] as const;

/** What a sweep measured, and of what: the file that it is resumed and merged from. */
export interface SweepResults {
  format: 'caffe-pruner sweep';
  version: 1;
  /**
   * The inputs, so that results of other models do not mix: SHA-256 of the model's bytes, and of what the net says, whatever
   * its layout and comments.
   */
  model: { file: string; sha256: string };
  net: { file: string; sha256: string };
  data: string;
  /** Items that every point is measured on, where it is known; less than the data hold when a limit was set. */
  items: number | undefined;
  /** The limit that was set, if any. */
  limit?: number;
  ranking: Ranking;
  /** Items that the saliency was measured on. */
  samples?: number;
  /** Number of weights of each layer that is swept. */
  weights: Record<string, number>;
  /** The net with all its weights. */
  baseline: Sums & { done: boolean };
  points: SweepPoint[];
}

/** @throws CaffeError when the file holds no sweep */
export async function loadSweep(file: string): Promise<SweepResults> {
  const text = await readText(file, phrase`The results`);
  try {
    const results = JSON.parse(text, unknownLoss) as Partial<SweepResults> | null;
    if (results !== null && isSweep(results)) return results;
  } catch {
    // Not JSON: the error below says all there is to say.
  }
  throw new CaffeError(phrase`The file holds no results of a sweep`, {
    file,
    advice: phrase`Choose another file for the results`,
  });
}

/** A loss that is no number, or infinite, is null in JSON. */
const unknownLoss = (name: string, value: unknown): unknown =>
  name === 'loss' && value === null ? NaN : value;

function isSweep(results: Partial<SweepResults>): results is SweepResults {
  const { format, version, model, net, ranking, weights, baseline, points } = results;
  return (
    format === 'caffe-pruner sweep' &&
    version === 1 &&
    [model?.file, model?.sha256, net?.file, net?.sha256].every(isText) &&
    (ranking === 'magnitude' || ranking === 'saliency') &&
    weights !== undefined &&
    Object.values(weights).every(isNumber) &&
    isSums(baseline) &&
    isList(
      points,
      ({ layer, keep, kept, sums, state }) =>
        isText(layer) && [keep, kept].every(isNumber) && isSums(sums) && states.includes(state),
    )
  );
}

const isSums = (sums: Partial<Sums> | undefined): boolean =>
  [sums?.items, sums?.loss, sums?.judged, sums?.top1, sums?.top5].every(isNumber);

export const saveSweep = (file: string, results: SweepResults): Promise<void> =>
  atomicWrite(
    file,
    (output) => output.write(new TextEncoder().encode(`${JSON.stringify(results, undefined, 1)}\n`)),
    {
      replace: true,
    },
  );

/** What must agree for points to be of the same sweep. */
const identity = ({ model, net, items, ranking, samples }: SweepResults) =>
  [model.sha256, net.sha256, items ?? 'all', ranking, samples].join('/');

/** @throws CaffeError when the two are not measurements of the same thing */
export function requireSameSweep(a: SweepResults, b: SweepResults, file: string): void {
  if (identity(a) === identity(b)) return;
  const differs = (
    [
      [phrase`model`, a.model.sha256 !== b.model.sha256],
      [phrase`net`, a.net.sha256 !== b.net.sha256],
      [phrase`number of items`, a.items !== b.items],
      [phrase`ranking`, a.ranking !== b.ranking || a.samples !== b.samples],
    ] as const
  ).flatMap(([what, different]) => (different ? [what] : []));
  throw new CaffeError(phrase`The results are of another sweep: another ${listed(differs)}`, {
    file,
    advice: phrase`Choose another file for the results, or delete this one`,
  });
}

/**
 * Puts the points of several sweeps, such as the shards of one, together. Of the same point the one measured on more
 * items counts.
 *
 * @param files where each came from, for errors
 */
export function mergeSweeps(sweeps: readonly SweepResults[], files: readonly string[]): SweepResults {
  const [first] = sweeps;
  const points = new Map<string, SweepPoint>();
  let { baseline } = first;
  const weights: Record<string, number> = {};
  for (const [i, sweep] of sweeps.entries()) {
    requireSameSweep(first, sweep, files[i]);
    if (sweep.baseline.items > baseline.items) baseline = sweep.baseline;
    Object.assign(weights, sweep.weights);
    for (const point of sweep.points) {
      const key = `${point.layer}\n${point.keep}`;
      const other = points.get(key);
      if (other === undefined || point.sums.items > other.sums.items) points.set(key, point);
    }
  }
  return { ...first, weights, baseline, points: orderPoints([...points.values()]) };
}

/** Layer by layer as they come, each from the largest keep ratio to the smallest. */
export function orderPoints(points: readonly SweepPoint[]): SweepPoint[] {
  const layers = [...new Set(points.map(({ layer }) => layer))];
  return points.toSorted((a, b) => layers.indexOf(a.layer) - layers.indexOf(b.layer) || b.keep - a.keep);
}

/** A point as it is shown. */
export interface SweepFigure extends SensitivityPoint {
  state: SweepPoint['state'];
}

/** A point of which nothing is measured yet. */
export type WaitingPoint = Pick<SweepPoint, 'layer' | 'keep'>;

/** What the whole net achieves. */
export interface SweepBaseline {
  accuracy: number | undefined;
  loss: number;
  items: number;
}

export const baselineOf = (sums: Sums): SweepBaseline => ({
  accuracy: accuracyOf(sums),
  loss: lossOf(sums),
  items: sums.items,
});

/** Where the results for a model are kept unless told otherwise: `lenet.sweep.json` beside `lenet.caffemodel`. */
export function sweepFile(model: string, shard?: { index: number; count: number }): string {
  const part = shard === undefined ? '' : `.${shard.index}-of-${shard.count}`;
  return `${withoutExtension(model)}.sweep${part}.json`;
}

export const figuresOf = (points: readonly SweepPoint[]): SweepFigure[] =>
  points
    .filter(({ sums }) => sums.items > 0)
    .map(({ layer, keep, kept, sums, state }) => ({
      layer,
      keep,
      kept,
      accuracy: accuracyOf(sums),
      loss: lossOf(sums),
      items: sums.items,
      state,
    }));

export const waitingOf = (points: readonly SweepPoint[]): WaitingPoint[] =>
  points
    .filter(({ state, sums }) => state === 'open' && sums.items === 0)
    .map(({ layer, keep }) => ({ layer, keep }));
