import { openFile } from '../caffe/byteSource';
import { CaffeError } from '../caffe/errors';
import { openModel } from '../caffe/model';
import { readText } from '../caffe/readText';
import { prune } from '../jobs/prune';
import { phrase, textOf } from '../phrase';
import { mostCodeBits } from '../sparsity/codebook';
import { type BlobRule, choicesFor, parsePlan, type Plan } from '../sparsity/recipe';
import {
  type Arguments,
  bytesText,
  type Command,
  flag,
  grouped,
  number,
  percent,
  table,
  text,
  UsageError,
} from './command';
import { encodingOf, existingOf, layerRatios, pruningHelp, pruningOptions } from './pruningOptions';

export const pruneCommand: Command = {
  name: 'prune',
  summary: 'Prune a model and write it dense, sparse and with its recipe beside the original',
  help: `caffe-pruner prune MODEL RULE [--layer NAME=RATIO]... [options]
caffe-pruner prune MODEL --recipe FILE

Writes MODEL's name with .pruned.caffemodel, .pruned.npz and .pruned.json. One rule for all weights
(biases, BatchNorm and Scale are left alone):

  --keep RATIO         keep this share of each layer's largest weights; 0.1 or 10%
  --global RATIO       the same over all layers together
  --threshold T        prune |w| <= T
  --std FACTOR         prune |w| <= FACTOR standard deviations of the layer
  --nm N:M             keep the N largest of every M input channels, such as 2:4
  --filters RATIO      keep this share of each layer's filters, by L1 norm
  --random RATIO       as --keep, but a weight below the threshold stays with probability |w| / threshold

  --layer NAME=RATIO   keep this share of one layer instead; 1 leaves it alone (repeatable)
  --saliency FILE      rank weights by what "caffe-pruner saliency" measured, not by magnitude
  --bits B             round what stays of each layer to 2^B - 1 shared values (weight sharing; 1 to 16)
  --seed N             seed of --random (1)
  --recipe FILE        do again what a recipe says, to the byte
  --any-input          with --recipe: take a model other than the recipe's own
${pruningHelp}`,
  options: {
    ...pruningOptions,
    keep: { type: 'string' },
    global: { type: 'string' },
    threshold: { type: 'string' },
    std: { type: 'string' },
    nm: { type: 'string' },
    filters: { type: 'string' },
    random: { type: 'string' },
    saliency: { type: 'string' },
    bits: { type: 'string' },
    seed: { type: 'string' },
    recipe: { type: 'string' },
    'any-input': { type: 'boolean' },
  },
  async run(args, terminal) {
    const [file, ...rest] = args.positionals;
    if (file === undefined || rest.length > 0) throw new UsageError('prune takes one model');
    if (flag(args, 'replace') && flag(args, 'keep-both')) {
      throw new UsageError('--replace and --keep-both exclude each other');
    }
    const existing = existingOf(args);
    const recipeFile = text(args, 'recipe');
    const plan = recipeFile === undefined ? await planOf(args, file) : await planFrom(recipeFile, args);
    const { outputs, recipe, warnings } = await terminal.run(prune({ file, existing, ...plan }, terminal));
    terminal.emit({ ...recipe, outputs });
    terminal.print(
      table(
        [
          ['layer', 'type', 'blob', 'shape', 'weights', 'kept', 'zeros', 'threshold', 'sparse'],
          ...recipe.blobs.map((blob) => [
            blob.layer,
            blob.type,
            String(blob.blob),
            blob.shape.join('×'),
            grouped(blob.count),
            grouped(blob.count - blob.zerosAfter),
            percent(blob.zerosAfter / blob.count),
            blob.threshold?.toPrecision(4) ?? '',
            bytesText(blob.bytes[recipe.encoding]),
          ]),
        ],
        new Set([4, 5, 6, 7, 8]),
      ),
    );
    const { count, zerosAfter, bytes } = recipe.totals;
    const shared =
      bytes.shared === undefined || bytes.huffman === undefined
        ? ''
        : `, ${bytesText(bytes.shared)} with shared weights, ${bytesText(bytes.huffman)} in Huffman codes`;
    terminal.print(
      `${grouped(count - zerosAfter)} of ${grouped(count)} weights are left; ${bytesText(bytes.dense)} dense, ${bytesText(bytes[recipe.encoding])} sparse${shared}`,
    );
    for (const warning of warnings) terminal.print(`warning: ${textOf(warning)}`);
    for (const path of [outputs.dense, outputs.sparse, outputs.recipe]) terminal.print(`wrote ${path}`);
  },
};

/** The one rule that the options give. */
function ruleOf(args: Arguments): BlobRule | undefined {
  const ratio = (name: string) => number(args, name, 0, 1);
  const rules: (BlobRule | undefined)[] = [
    ...(['keep', 'global', 'filters', 'random'] as const).map((method) => {
      const keep = ratio(method);
      return keep === undefined ? undefined : { method, keep };
    }),
  ];
  const threshold = number(args, 'threshold', 0);
  if (threshold !== undefined) rules.push({ method: 'threshold', threshold });
  const factor = number(args, 'std', 0);
  if (factor !== undefined) rules.push({ method: 'std', factor });
  const nm = text(args, 'nm');
  if (nm !== undefined) {
    const match = /^(\d+):(\d+)$/.exec(nm);
    const [n, m] = match ? [Number(match[1]), Number(match[2])] : [0, 0];
    if (!(n < m)) throw new UsageError(`--nm: "${nm}" is not like 2:4`);
    rules.push({ method: 'n:m', n, m });
  }
  const given = rules.filter((rule) => rule !== undefined);
  if (given.length > 1) throw new UsageError('prune takes one rule for all layers');
  return given[0];
}

async function planOf(args: Arguments, file: string): Promise<Plan> {
  const rule = ruleOf(args);
  const layers = layerRatios(args);
  if (!rule && layers.size === 0) throw new UsageError('prune needs a rule, such as --keep 10%');
  const source = await openFile(file);
  try {
    const model = await openModel(source);
    const bits = number(args, 'bits', 1, mostCodeBits);
    const choices = choicesFor(model, rule ?? { method: 'keep', keep: 1 }).flatMap(
      ({ layer, blob, ...own }) => {
        const keep = layers.get(layer);
        const chosen = keep === undefined ? rule && own : { method: 'keep' as const, keep };
        return chosen ? [{ layer, blob, ...chosen, ...(bits === undefined ? {} : { bits }) }] : [];
      },
    );
    for (const layer of layers.keys()) {
      if (!choices.some((choice) => choice.layer === layer)) {
        throw new CaffeError(phrase`the model has no layer of this name with weights to prune`, {
          file,
          layer,
        });
      }
    }
    const saliency = text(args, 'saliency');
    return {
      ...(saliency === undefined ? {} : { saliency: { file: saliency } }),
      encoding: encodingOf(args),
      seed: number(args, 'seed', 0, 0xffffffff) ?? 1,
      choices,
    };
  } finally {
    await source.close();
  }
}

async function planFrom(path: string, args: Arguments): Promise<Plan & { sha256?: string }> {
  const content = await readText(path, phrase`The recipe`);
  const { input, ...plan } = parsePlan(content, path);
  return { ...plan, sha256: flag(args, 'any-input') ? undefined : input?.sha256 };
}
