import { CaffeError } from '../caffe/errors';
import type { Model, ModelBlob, ModelLayer } from '../caffe/model';
import { phrase, type Phrase } from '../phrase';
import type { Rule } from './selection';
import { mostCodeBits } from './codebook';
import { indexWidths, type IndexWidth } from './relativeIndex';

/** How the sparse weights are encoded in the .npz. */
export type SparseEncoding = 'relative' | 'csr' | 'csc';

/** A rule for a blob; with `global`, all blobs that have it share one threshold over all their weights together. */
export type BlobRule = Rule | { method: 'global'; keep: number };

/** Which blob a rule is for: a name as the model has it, and the position among the layer's blobs. */
export type Choice = { layer: string; blob: number } & BlobRule & BlobEncoding;

/** How what stays of a blob is written. */
export interface BlobEncoding {
  /** Bits of an index into a codebook (1..16): the weights are rounded to that many shared values. */
  bits?: number;
  /** Bits of a gap in the relative index; when left out, those of least bytes. */
  index?: IndexWidth;
}

/** What makes a pruning repeatable. */
export interface Plan {
  encoding: SparseEncoding;
  /** Seed of the rules that draw random numbers, 0..2^32-1. */
  seed: number;
  choices: Choice[];
  /** The .npz whose values rank the weights in place of their magnitudes; its SHA-256 where it must be that one. */
  saliency?: { file: string; sha256?: string };
}

/** Where the saliencies of a model are, unless one says otherwise. */
export const saliencyFileOf = (model: string): string => `${model}.saliency.npz`;

/** Bytes of the weights in each encoding: what stays of the model without its frame. */
export interface EncodingSizes {
  dense: number;
  relative: number;
  csr: number;
  csc: number;
  /** Shared weights in relative-index form, and the same in Huffman codes; where weights are shared. */
  shared?: number;
  huffman?: number;
}

/** What happened to one blob. */
export interface BlobFigures {
  layer: string;
  type: string;
  blob: number;
  shape: number[];
  count: number;
  zerosBefore: number;
  zerosAfter: number;
  /** The score up to which weights went, where there is a single one. */
  threshold?: number;
  /** Bits of a gap in the relative index. */
  indexWidth: IndexWidth;
  /** Shared values, where weights are shared. */
  sharedValues?: number;
  bytes: EncodingSizes;
}

export interface Totals {
  count: number;
  zerosBefore: number;
  zerosAfter: number;
  bytes: EncodingSizes;
}

/** The recipe file beside a pruned model. The same input and plan give the same bytes, so it holds no date. */
export interface Recipe extends Plan {
  format: 'caffe-pruner recipe';
  version: 1;
  /** The version of the extension that wrote it. */
  writtenBy: string;
  input: { file: string; bytes: number; sha256: string };
  outputs: { dense: string; sparse: string };
  /** Of the pruned blobs, in net order. */
  blobs: BlobFigures[];
  /** Of all blobs of the model. */
  totals: Totals;
  warnings: string[];
  /** What measured this model later: results of evaluate and retrain, by their jobs. */
  [extra: string]: unknown;
}

export const serializeRecipe = (recipe: Recipe): string => `${JSON.stringify(recipe, undefined, 2)}\n`;

const fields: Record<BlobRule['method'], Record<string, (value: number) => boolean>> = {
  keep: { keep: (value) => value >= 0 && value <= 1 },
  global: { keep: (value) => value >= 0 && value <= 1 },
  filters: { keep: (value) => value >= 0 && value <= 1 },
  random: { keep: (value) => value >= 0 && value <= 1 },
  threshold: { threshold: (value) => value >= 0 },
  std: { factor: (value) => value >= 0 },
  'n:m': {
    n: (value) => Number.isInteger(value) && value >= 0,
    m: (value) => Number.isInteger(value) && value >= 1,
  },
};

/**
 * Reads the plan out of a recipe file's text; what a run made of it is not needed to repeat it.
 * @throws CaffeError naming what is wrong
 */
export function parsePlan(text: string, file?: string): Plan & { input?: Recipe['input'] } {
  const fail = (what: Phrase): never => {
    throw new CaffeError(what, {
      file,
      advice: phrase`Choose the .json file that pruning wrote beside the model`,
    });
  };
  let value: Partial<Recipe>;
  try {
    value = JSON.parse(text) as Partial<Recipe>;
  } catch (cause) {
    throw new CaffeError(phrase`the recipe is no JSON: ${(cause as Error).message}`, { file, cause });
  }
  if (value === null || typeof value !== 'object' || value.format !== 'caffe-pruner recipe') {
    return fail(phrase`this is no recipe`);
  }
  if (value.version !== 1)
    return fail(phrase`the recipe has version ${String(value.version)}, and 1 is known here`);
  const { encoding, seed, choices, input, saliency } = value;
  if (encoding !== 'relative' && encoding !== 'csr' && encoding !== 'csc') {
    return fail(phrase`the encoding "${String(encoding)}" is not known`);
  }
  if (typeof seed !== 'number' || !Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    return fail(phrase`the seed ${String(seed)} is not a whole number from 0 to 4294967295`);
  }
  if (!Array.isArray(choices)) return fail(phrase`the recipe has no choices`);
  choices.forEach((choice: Choice) => {
    const problem = checkChoice(choice);
    if (problem) fail(problem);
  });
  if (saliency !== undefined && typeof saliency.file !== 'string')
    return fail(phrase`the recipe names no saliency file`);
  return { encoding, seed, choices, input, ...(saliency ? { saliency } : {}) };
}

/** What is wrong with a choice, or undefined. */
export function checkChoice(choice: Choice): Phrase | undefined {
  if (choice === null || typeof choice !== 'object') return phrase`a choice is no object`;
  const where = phrase`layer "${String(choice.layer)}", blob ${String(choice.blob)}`;
  if (typeof choice.layer !== 'string' || !Number.isInteger(choice.blob))
    return phrase`a choice names no layer and blob`;
  const { bits, index } = choice;
  if (bits !== undefined && !(Number.isInteger(bits) && bits >= 1 && bits <= mostCodeBits)) {
    return phrase`${where}: bits cannot be ${String(bits)}`;
  }
  if (index !== undefined && !indexWidths.includes(index))
    return phrase`${where}: index cannot be ${String(index)}`;
  const checks = Object.hasOwn(fields, choice.method) ? fields[choice.method] : undefined;
  if (!checks) return phrase`${where}: the method "${String(choice.method)}" is not known`;
  for (const [name, check] of Object.entries(checks)) {
    const value: unknown = (choice as unknown as Record<string, unknown>)[name];
    if (typeof value !== 'number' || !check(value))
      return phrase`${where}: ${name} cannot be ${String(value)}`;
  }
  return undefined;
}

/** Layers whose blobs are no weights of connections: statistics, scales, slopes. */
const notWeights = new Set(['BatchNorm', 'Scale', 'Bias', 'PReLU', 'Normalize', 'Parameter']);
const recurrent = new Set(['RNN', 'LSTM']);

/**
 * Whether pruning takes the blob unless told otherwise: weights of convolutions, inner products, embeddings and
 * recurrent layers. Biases, and all of BatchNorm and Scale, are left alone.
 */
export function isPrunable(
  { type }: Pick<ModelLayer, 'type'>,
  blob: Pick<ModelBlob, 'index' | 'count' | 'problem'> & { shape: readonly number[] },
): boolean {
  if (blob.count === 0 || blob.problem !== undefined || notWeights.has(type)) return false;
  // HDF5 files tell no types: means, variances, scales and slopes have one axis.
  if (type === '' && blob.shape.length < 2) return false;
  return blob.index === 0 || (recurrent.has(type) && blob.shape.length > 1);
}

/** The same rule for each prunable blob of a model. */
export const choicesFor = (model: Model, rule: BlobRule & BlobEncoding): Choice[] =>
  model.layers.flatMap((layer) =>
    layer.blobs
      .filter((blob) => isPrunable(layer, blob))
      .map((blob) => ({ layer: layer.name, blob: blob.index, ...rule })),
  );
