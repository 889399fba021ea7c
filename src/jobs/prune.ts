import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { atomicWrite } from '../caffe/atomicWrite';
import { type ByteSource, openFile } from '../caffe/byteSource';
import { CaffeError } from '../caffe/errors';
import { type Model, type ModelBlob, type ModelLayer, openModel } from '../caffe/model';
import { Random } from '../caffe/random';
import { blobChunks, readBlob } from '../caffe/readBlob';
import { type Patch, writePatched } from '../caffe/writePatched';
import { weightGeometry } from '../sparsity/geometry';
import { NpzWriter } from '../sparsity/npz';
import { RankFinder } from '../sparsity/rank';
import {
  type BlobFigures,
  type BlobRule,
  checkChoice,
  type Choice,
  type Plan,
  type Recipe,
  serializeRecipe,
  type Totals,
} from '../sparsity/recipe';
import { countZeros, pruneBlob, rankOfKeep, type Rule } from '../sparsity/selection';
import { manifestFor, measure, writeManifest, writeSparseBlob } from '../sparsity/sparseFile';
import { statisticsOf } from '../sparsity/statistics';
import { version } from '../../package.json';
import type { Job, JobContext, Progress } from './job';
import { chooseOutputs, type Existing, type OutputPaths } from './outputs';
import { reporting } from './report';

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
}

/** A blob to prune with its rule. */
interface Task {
  layer: ModelLayer;
  blob: ModelBlob;
  rule: BlobRule;
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
    if (model.damage.length > 0) {
      const [{ message, layer, byteOffset }] = model.damage;
      throw new CaffeError(message, { file, layer, byteOffset, advice: 'A damaged model is not pruned' });
    }
    const tasks = resolve(model, parameters.choices, file);
    const outputs = await chooseOutputs(file, existing);
    return yield* reporting((report) =>
      run(source, model, tasks, outputs, parameters, signal, (fraction, message) =>
        report(fraction, message),
      ),
    );
  } finally {
    await source.close();
  }
}

/** Finds the blobs that the choices name. */
function resolve(model: Model, choices: readonly Choice[], file: string): Map<ModelBlob, Task> {
  const byName = new Map<string, ModelLayer>();
  for (const layer of model.layers) if (!byName.has(layer.name)) byName.set(layer.name, layer);
  const tasks = new Map<ModelBlob, Task>();
  for (const choice of choices) {
    const problem = checkChoice(choice);
    if (problem) throw new CaffeError(problem, { file });
    const layer = byName.get(choice.layer);
    if (!layer) throw new CaffeError('the model has no such layer', { file, layer: choice.layer });
    const blob = layer.blobs[choice.blob];
    if (!blob) {
      throw new CaffeError(`the layer has ${layer.blobs.length} blobs, and none at ${choice.blob}`, {
        file,
        layer: layer.name,
      });
    }
    if (tasks.has(blob)) {
      throw new CaffeError(`blob ${choice.blob} is chosen twice`, { file, layer: layer.name });
    }
    const { layer: _layer, blob: _blob, ...rule } = choice;
    tasks.set(blob, { layer, blob, rule });
  }
  return tasks;
}

async function run(
  source: ByteSource,
  model: Model,
  tasks: ReadonlyMap<ModelBlob, Task>,
  outputs: OutputPaths,
  { file, encoding, seed, choices, existing, sha256 }: PruneParameters,
  signal: AbortSignal,
  report: (fraction: number, message: string) => void,
): Promise<PruneResult> {
  report(0, 'digest');
  const digest = await digestOf(source, signal);
  if (sha256 !== undefined && sha256 !== digest) {
    throw new CaffeError('the model is not the one that the recipe was made with: its digest differs', {
      file,
      advice: 'Choose the recipe’s own model, or prune without the digest',
    });
  }
  const threshold = await globalThreshold(source, [...tasks.values()], signal);
  const random = new Random(seed);
  const manifest = manifestFor(model);
  const figures: BlobFigures[] = [];
  const warnings: string[] = [];
  const totals: Totals = {
    count: 0,
    zerosBefore: 0,
    zerosAfter: 0,
    bytes: { dense: 0, relative: 0, csr: 0, csc: 0 },
  };
  const options = { signal, replace: existing === 'replace' };

  /** Reads each blob once, in net order: prunes it, writes it to the npz and hands it on as a patch. */
  async function* patches(npz: NpzWriter): AsyncGenerator<Patch> {
    for (const layer of model.layers) {
      for (const blob of layer.blobs) {
        signal.throwIfAborted();
        const values = await readBlob(source, blob);
        const task = tasks.get(blob);
        const zerosBefore = countZeros(values);
        let outcome;
        if (task) {
          const rule = asBlobRule(task.rule, threshold);
          outcome = pruneBlob(values, rule, {
            geometry: weightGeometry(layer.type, blob.shape),
            std: rule.method === 'std' ? statisticsOf(values).std : NaN,
            random,
          });
          warnings.push(...warningsOf(layer, outcome));
        }
        const { bytes, width, nonZero } = measure(values, blob.shape);
        const entry = manifest.layers[layer.index].blobs[blob.index];
        await writeSparseBlob(npz, entry, values, task ? encoding : 'dense', width);
        const zerosAfter = values.length - nonZero;
        if (task) {
          figures.push({
            layer: layer.name,
            type: layer.type,
            blob: blob.index,
            shape: blob.shape,
            count: values.length,
            zerosBefore,
            zerosAfter,
            threshold: outcome?.threshold,
            indexWidth: width,
            bytes,
          });
        }
        addTo(totals, values.length, zerosBefore, zerosAfter, task ? bytes : undefined);
        if (task) yield { blob, values };
      }
    }
    await writeManifest(npz, manifest);
    await npz.finish();
  }

  // Nested, so that all three are whole under their temporary names before the first gets its own.
  const recipe = await atomicWrite(
    outputs.recipe,
    async (recipeFile) => {
      await atomicWrite(
        outputs.sparse,
        (sparseFile) =>
          writePatched(source, outputs.dense, patches(new NpzWriter(sparseFile)), {
            ...options,
            onProgress: (fraction) => report(fraction, figures.at(-1)?.layer ?? ''),
          }),
        options,
      );
      const written: Recipe = {
        format: 'caffe-pruner recipe',
        version: 1,
        writtenBy: `caffe-pruner ${version}`,
        input: { file: basename(file), bytes: source.size, sha256: digest },
        encoding,
        seed,
        choices: [...choices],
        outputs: { dense: basename(outputs.dense), sparse: basename(outputs.sparse) },
        totals,
        warnings,
        blobs: figures,
      };
      await recipeFile.write(new TextEncoder().encode(serializeRecipe(written)));
      return written;
    },
    options,
  );
  return { outputs, recipe };
}

/** SHA-256 of the whole file. */
async function digestOf(source: ByteSource, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(Math.min(source.size, 1 << 22));
  for (let at = 0; at < source.size; at += buffer.length) {
    signal.throwIfAborted();
    const part = buffer.subarray(0, Math.min(buffer.length, source.size - at));
    await source.readInto(part, at);
    hash.update(part);
  }
  return hash.digest('hex');
}

/** The threshold that all blobs with the rule `global` share, found in two passes over them. */
async function globalThreshold(
  source: ByteSource,
  tasks: readonly Task[],
  signal: AbortSignal,
): Promise<number> {
  const keeps = tasks.flatMap(({ rule }) => (rule.method === 'global' ? [rule.keep] : []));
  const blobs = tasks.filter(({ rule }) => rule.method === 'global').map(({ blob }) => blob);
  if (keeps.some((keep) => keep !== keeps[0])) {
    throw new CaffeError('global pruning takes one keep ratio for all its layers', { file: source.name });
  }
  const count = blobs.reduce((sum, blob) => sum + blob.count, 0);
  if (count === 0 || keeps[0] >= 1) return -1;
  const finder = new RankFinder();
  const pass = async (visit: (values: Float32Array) => void) => {
    for (const blob of blobs) {
      for await (const { chunk } of blobChunks(source, blob)) {
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

const asBlobRule = (rule: BlobRule, threshold: number): Rule =>
  rule.method === 'global' ? { method: 'threshold', threshold } : rule;

function warningsOf(
  { name }: ModelLayer,
  { floored, deadOutputs }: { floored: boolean; deadOutputs: number },
): string[] {
  return [
    ...(floored ? [`layer "${name}": the rule would leave nothing, so the largest weight stays`] : []),
    ...(deadOutputs > 0 ? [`layer "${name}": ${deadOutputs} outputs have no weight left`] : []),
  ];
}

/** Blobs that are not pruned count as dense in every encoding, as the .npz holds them. */
function addTo(
  totals: Totals,
  count: number,
  zerosBefore: number,
  zerosAfter: number,
  bytes: Totals['bytes'] = { dense: 4 * count, relative: 4 * count, csr: 4 * count, csc: 4 * count },
): void {
  totals.count += count;
  totals.zerosBefore += zerosBefore;
  totals.zerosAfter += zerosAfter;
  for (const encoding of ['dense', 'relative', 'csr', 'csc'] as const)
    totals.bytes[encoding] += bytes[encoding];
}
