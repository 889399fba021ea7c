import { type ByteSource, openFile } from '../caffe/byteSource';
import { CaffeError } from '../caffe/errors';
import { type Model, type ModelBlob, type ModelLayer, openModel, requireSound } from '../caffe/model';
import { Random } from '../caffe/random';
import { blobChunks, readBlob } from '../caffe/readBlob';
import { phrase, type Phrase } from '../phrase';
import { type Codebook, shareWeights } from '../sparsity/codebook';
import { weightGeometry } from '../sparsity/geometry';
import { RankFinder } from '../sparsity/rank';
import {
  type BlobEncoding,
  type BlobRule,
  checkChoice,
  type Choice,
  type EncodingSizes,
  type Plan,
  type Recipe,
} from '../sparsity/recipe';
import { pruneBlob, type PruneContext, type Pruned, rankOfKeep } from '../sparsity/selection';
import { measure } from '../sparsity/sparseFile';
import { statisticsOf } from '../sparsity/statistics';
import type { Job, JobContext, Progress } from './job';
import { digestOf, laterDigest } from './digest';
import { chooseOutputs, type Existing, type OutputPaths } from './outputs';
import { type Report, reporting } from './report';
import { openSaliency, type SaliencyFile } from './saliencyFile';
import { writePruned } from './writePruned';

export interface PruneParameters extends Plan {
  /** The model file. */
  file: string;
  /** What to do when an output is there already; the model itself is never written to. */
  existing: Existing;
  /** SHA-256 that the model must have, as a recipe tells it; without it, any. */
  sha256?: string;
}

export interface PruneResult {
  outputs: OutputPaths;
  recipe: Recipe;
  /** What the recipe warns of, for the user. */
  warnings: Phrase[];
}

/** A blob to prune with its rule. */
interface Task {
  layer: ModelLayer;
  blob: ModelBlob;
  rule: BlobRule;
  encoding: BlobEncoding;
}

/**
 * Prunes a model and writes, beside it, the dense model with zeros, the sparse weights (.npz) and the recipe. One
 * blob at a time is in memory. The outputs get their names only when all of them are whole.
 * @throws CaffeError when the model is damaged or a choice does not fit it
 */
export async function* prune(
  parameters: PruneParameters,
  { signal }: JobContext,
): Job<Progress, PruneResult> {
  const { file, existing } = parameters;
  const source = await openFile(file);
  try {
    const model = await openModel(source);
    requireSound(model, file, phrase`A damaged model is not pruned`);
    const tasks = resolve(model, parameters.choices, file);
    const outputs = await chooseOutputs(file, existing);
    return yield* reporting((report) => run(source, model, tasks, outputs, parameters, signal, report));
  } finally {
    await source.close();
  }
}

/** Finds the blobs that the choices name; of layers that share a name each choice means the next one. */
function resolve(model: Model, choices: readonly Choice[], file: string): Map<ModelBlob, Task> {
  const named = new Map<string, { layer: ModelLayer; blob: ModelBlob }[]>();
  const nameOf = (layer: string, blob: number) => `${blob} ${layer}`;
  for (const layer of model.layers) {
    for (const blob of layer.blobs) {
      const name = nameOf(layer.name, blob.index);
      const sharing = named.get(name);
      if (sharing) sharing.push({ layer, blob });
      else named.set(name, [{ layer, blob }]);
    }
  }
  const tasks = new Map<ModelBlob, Task>();
  const chosen = new Map<string, number>();
  for (const choice of choices) {
    const problem = checkChoice(choice);
    if (problem) throw new CaffeError(problem, { file });
    const { layer: layerName, blob: index, bits, index: width, ...rule } = choice;
    const at = { file, layer: layerName };
    const name = nameOf(layerName, index);
    const sharing = named.get(name);
    if (!sharing) {
      const layer = model.layers.find((candidate) => candidate.name === layerName);
      if (!layer) throw new CaffeError(phrase`the model has no such layer`, at);
      throw new CaffeError(phrase`the layer has ${layer.blobs.length} blobs, and none at ${index}`, at);
    }
    const count = chosen.get(name) ?? 0;
    if (count === sharing.length) throw new CaffeError(phrase`blob ${index} is chosen twice`, at);
    chosen.set(name, count + 1);
    const { layer, blob } = sharing[count];
    tasks.set(blob, { layer, blob, rule, encoding: { bits, index: width } });
  }
  for (const [name, count] of chosen) {
    const sharing = named.get(name)!;
    if (count === sharing.length) continue;
    const [{ layer, blob }] = sharing;
    throw new CaffeError(phrase`${sharing.length} layers have this name`, {
      file,
      layer: layer.name,
      advice: phrase`Choose blob ${blob.index} of all of them or of none`,
    });
  }
  return tasks;
}

async function run(
  source: ByteSource,
  model: Model,
  tasks: ReadonlyMap<ModelBlob, Task>,
  outputs: OutputPaths,
  { file, existing, sha256, ...given }: PruneParameters,
  signal: AbortSignal,
  report: Report,
): Promise<PruneResult> {
  const digest = laterDigest(source, signal);
  const ranking = given.saliency && (await checkedSaliency(given.saliency, signal));
  const saliency = ranking && (await openSaliency(ranking.file));
  try {
    const plan = { ...given, saliency: ranking };
    const scoresOf = ({ layer, blob }: Task) => saliency?.of(layer.name, blob.count);
    const threshold = await globalThreshold(source, [...tasks.values()], scoresOf, signal);
    const random = new Random(plan.seed);
    const written = await writePruned({
      source,
      model,
      outputs,
      plan,
      sha256: async () => checkedDigest(await digest(), sha256, file),
      signal,
      replace: existing === 'replace',
      report,
      changeOf(layer, blob) {
        const task = tasks.get(blob);
        return (
          task && {
            pruned: true,
            index: task.encoding.index,
            async apply(values, magnitudes) {
              const saliency = await scoresOf(task);
              const outcome = pruneTask(values, task, threshold, random, { saliency, magnitudes });
              return {
                threshold: outcome.threshold,
                warnings: warningsOf(layer, outcome),
                codebook: codebookOf(values, task, file),
              };
            },
          }
        );
      },
    });
    return { outputs, ...written };
  } finally {
    await saliency?.close();
  }
}

/** What pruning would make of one blob. */
export interface Outcome {
  layer: number;
  blob: number;
  threshold?: number;
  zeros: number;
  /** Outputs that would be left without any weight. */
  deadOutputs: number;
  bytes: EncodingSizes;
}

/** Says for each chosen blob, in net order, exactly what {@link prune} would make of it; nothing is written. */
export async function* tryPruning(
  { file, choices, seed, saliency: ranking }: Pick<PruneParameters, 'file' | 'choices' | 'seed' | 'saliency'>,
  { signal }: JobContext,
): AsyncGenerator<Outcome, void, void> {
  const source = await openFile(file);
  let saliency: SaliencyFile | undefined;
  try {
    saliency = ranking && (await openSaliency(ranking.file));
    const model = await openModel(source);
    const tasks = [...resolve(model, choices, file).values()];
    const scoresOf = ({ layer, blob }: Task) => saliency?.of(layer.name, blob.count);
    const shared = await globalThreshold(source, tasks, scoresOf, signal);
    const random = new Random(seed);
    for (const task of tasks) {
      const { layer, blob } = task;
      signal.throwIfAborted();
      const values = await readBlob(source, blob);
      const { threshold, zeros, deadOutputs } = pruneTask(values, task, shared, random, {
        saliency: await scoresOf(task),
      });
      const codebook = codebookOf(values, task, file);
      const { bytes } = measure(values, blob.shape, { width: task.encoding.index, codebook });
      yield { layer: layer.index, blob: blob.index, threshold, zeros, deadOutputs, bytes };
    }
  } finally {
    await saliency?.close();
    await source.close();
  }
}

/** Rounds the weights to shared values where the choice asks for it. */
function codebookOf(
  values: Float32Array,
  { layer, encoding: { bits } }: Task,
  file: string,
): Codebook | undefined {
  if (bits === undefined) return undefined;
  if (!values.every(Number.isFinite)) {
    throw new CaffeError(phrase`weights that are not finite cannot share values`, {
      file,
      layer: layer.name,
      advice: phrase`Prune this layer without a codebook`,
    });
  }
  return shareWeights(values, bits);
}

/** The digest of the model, which must be `expected` if that is told. */
function checkedDigest(digest: string, expected: string | undefined, file: string): string {
  if (expected !== undefined && expected !== digest) {
    throw new CaffeError(phrase`the model is not the one that the recipe was made with: its digest differs`, {
      file,
      advice: phrase`Choose the recipe’s own model, or prune without the digest`,
    });
  }
  return digest;
}

/** The saliencies with their digest, which must be the one that is told, if any. */
async function checkedSaliency(
  { file, sha256 }: NonNullable<Plan['saliency']>,
  signal: AbortSignal,
): Promise<Required<NonNullable<Plan['saliency']>>> {
  const digest = await digestOf(file, signal);
  if (sha256 !== undefined && sha256 !== digest) {
    throw new CaffeError(
      phrase`the saliencies are not those that the recipe was made with: their digest differs`,
      {
        file,
      },
    );
  }
  return { file, sha256: digest };
}

/** The threshold that all blobs with the rule `global` share, found in two passes over them. */
async function globalThreshold(
  source: ByteSource,
  tasks: readonly Task[],
  scoresOf: (task: Task) => Promise<Float32Array> | undefined,
  signal: AbortSignal,
): Promise<number> {
  const shared = tasks.filter(({ rule }) => rule.method === 'global');
  const keeps = shared.flatMap(({ rule }) => (rule.method === 'global' ? [rule.keep] : []));
  if (keeps.some((keep) => keep !== keeps[0])) {
    throw new CaffeError(phrase`global pruning takes one keep ratio for all its layers`, {
      file: source.name,
    });
  }
  const count = shared.reduce((sum, { blob }) => sum + blob.count, 0);
  if (count === 0 || keeps[0] >= 1) return -1;
  const finder = new RankFinder();
  const pass = async (visit: (values: Float32Array) => void) => {
    for (const task of shared) {
      const scores = await scoresOf(task);
      if (scores) {
        visit(scores);
        continue;
      }
      for await (const { chunk } of blobChunks(source, task.blob)) {
        signal.throwIfAborted();
        visit(chunk);
      }
    }
  };
  await pass((values) => finder.count(values));
  finder.narrow(rankOfKeep(count, keeps[0]));
  await pass((values) => finder.refine(values));
  return finder.magnitude();
}

/** Prunes the values of a task's blob in place; `threshold` is the one that all rules `global` share. */
function pruneTask(
  values: Float32Array,
  { layer, blob, rule }: Task,
  threshold: number,
  random: Random,
  known: Pick<PruneContext, 'saliency' | 'magnitudes'> = {},
): Pruned {
  return pruneBlob(values, rule.method === 'global' ? { method: 'threshold', threshold } : rule, {
    geometry: weightGeometry(layer.type, blob.shape),
    std: rule.method === 'std' ? statisticsOf(values).std : NaN,
    random,
    ...known,
  });
}

function warningsOf({ name }: ModelLayer, { floored, deadOutputs }: Pruned): Phrase[] {
  return [
    ...(floored ? [phrase`layer "${name}": the rule would leave nothing, so the largest weight stays`] : []),
    ...(deadOutputs > 0 ? [phrase`layer "${name}": ${deadOutputs} outputs have no weight left`] : []),
  ];
}
