import type { Model, ModelLayer } from './model';
import { isOfRetraining, isPruned } from './modelName';

/** A layer of a net as far as its weights go. */
export interface WeightedLayer {
  name: string;
  /** Shapes of its learnable blobs; undefined where the net does not tell. */
  shapes?: readonly (readonly number[])[];
}

/** A blob that the net wants in another shape than the model has. */
export interface Mismatch {
  layer: string;
  blob: number;
  wanted: readonly number[];
  /** Undefined where the model's layer has fewer blobs. */
  found?: readonly number[];
}

/** How well the weights of a model go into a net. */
export interface Fit {
  /** Layers whose weights the model has, in the shapes that the net wants. */
  matched: string[];
  /** Layers of the net with weights, of which the model has no layer. */
  lacking: string[];
  mismatches: Mismatch[];
  /** Share of the net's layers with weights that are matched; 0 for a net without weights. */
  score: number;
}

/**
 * Compares a net with a model as Caffe's `Net::CopyTrainedLayersFrom` does: layers go by their names, blobs by their
 * position, and shapes must be equal but for leading ones, which blobs of 2014 (num, channels, height, width) have.
 */
export function fitOf(layers: readonly WeightedLayer[], model: Pick<Model, 'layers'>): Fit {
  const byName = layersByName(model);
  const fit: Fit = { matched: [], lacking: [], mismatches: [], score: 0 };
  for (const { name, shapes } of layers) {
    const layer = byName.get(name);
    if (!layer || layer.blobs.length === 0) {
      fit.lacking.push(name);
      continue;
    }
    const wrong = (shapes ?? []).flatMap((wanted, blob): Mismatch[] => {
      const found = layer.blobs[blob]?.shape;
      return found && sameShape(wanted, found) ? [] : [{ layer: name, blob, wanted, found }];
    });
    if (wrong.length === 0) fit.matched.push(name);
    fit.mismatches.push(...wrong);
  }
  fit.score = layers.length === 0 ? 0 : fit.matched.length / layers.length;
  return fit;
}

/** The layers of a model by name; of several with one name the first that has blobs. */
export function layersByName({ layers }: Pick<Model, 'layers'>): ReadonlyMap<string, ModelLayer> {
  const found = new Map<string, ModelLayer>();
  for (const layer of layers) if (!found.get(layer.name)?.blobs.length) found.set(layer.name, layer);
  return found;
}

const withoutLeadingOnes = (shape: readonly number[]): readonly number[] => {
  const first = shape.findIndex((size) => size !== 1);
  return first < 0 ? [] : shape.slice(first);
};

/** Whether a blob has the shape that a net wants: leading ones do not count, and a size that is not known (NaN) is any. */
export function sameShape(wanted: readonly number[], found: readonly number[]): boolean {
  const [x, y] = [withoutLeadingOnes(wanted), withoutLeadingOnes(found)];
  return x.length === y.length && x.every((size, axis) => Number.isNaN(size) || size === y[axis]);
}

/** A net and a model belong together when at least this share of the net's layers finds its weights. */
export const leastScore = 0.5;

/** Words that say what a file is for, not which net it holds. */
const purposes = new Set(
  'deploy train test val trainval solver net model iter original caffemodel prototxt h5 pruned txt'.split(
    ' ',
  ),
);

const wordsOf = (fileName: string): string[] =>
  fileName
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '' && !purposes.has(word));

/** Share of the words in the two names that both have, 0 to 1: `lenet_train_test.prototxt` and `lenet_iter_10000.caffemodel`. */
export function likeness(netFile: string, modelFile: string): number {
  const [net, model] = [new Set(wordsOf(netFile)), new Set(wordsOf(modelFile))];
  const both = [...net].filter((word) => model.has(word)).length;
  return both === 0 ? 0 : both / (net.size + model.size - both);
}

/** A model that may go with a net. */
export interface Candidate {
  fileName: string;
  fit: Fit;
  /** A solver of the net writes snapshots under this name. */
  isSnapshot: boolean;
}

/** The candidates that fit, the best first: by score, then snapshots, then by name; of snapshots the latest. Checkpoints of ours are none. */
export function rankPairs<C extends Candidate>(netFile: string, candidates: readonly C[]): C[] {
  const iteration = ({ fileName }: C) => Number(/_iter_(\d+)/.exec(fileName)?.[1] ?? 0);
  return candidates
    .filter(({ fit, fileName }) => fit.score >= leastScore && !isOfRetraining(fileName))
    .sort(
      (a, b) =>
        b.fit.score - a.fit.score ||
        Number(b.isSnapshot) - Number(a.isSnapshot) ||
        likeness(netFile, b.fileName) - likeness(netFile, a.fileName) ||
        Number(isPruned(a.fileName)) - Number(isPruned(b.fileName)) ||
        iteration(b) - iteration(a) ||
        (a.fileName < b.fileName ? -1 : 1),
    );
}
