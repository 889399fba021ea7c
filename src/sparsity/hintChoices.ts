import type { Model } from '../caffe/model';
import { printHint, type HintsOfFile, type PruneHint } from '../caffe/prototxt/hints';
import { isPrunable, type BlobEncoding, type BlobRule, type Choice } from './recipe';
import type { IndexWidth } from './relativeIndex';

/** The rule that a hint asks for; undefined where it asks for none, or to leave the layer alone. */
export function ruleOfHint({ skip, keep, threshold, std, method }: PruneHint): BlobRule | undefined {
  if (skip) return undefined;
  if (threshold !== undefined) return { method: 'threshold', threshold };
  if (std !== undefined) return { method: 'std', factor: std };
  const pattern = /^(\d+):(\d+)$/.exec(method ?? '');
  if (pattern) return { method: 'n:m', n: Number(pattern[1]), m: Number(pattern[2]) };
  if (keep === undefined) return undefined;
  if (method === 'filters' || method === 'random' || method === 'global') return { method, keep };
  return { method: 'keep', keep };
}

/** The hint that asks for a rule: {@link ruleOfHint} gives it back. */
export function hintOfRule(rule: BlobRule, encoding: BlobEncoding = {}): PruneHint {
  switch (rule.method) {
    case 'keep':
      return { keep: rule.keep, ...encoding };
    case 'threshold':
      return { threshold: rule.threshold, ...encoding };
    case 'std':
      return { std: rule.factor, ...encoding };
    case 'n:m':
      return { method: `${rule.n}:${rule.m}`, ...encoding };
    default:
      return { keep: rule.keep, method: rule.method, ...encoding };
  }
}

/** How a hint asks for what stays to be written; empty where it leaves that open. */
export const encodingOfHint = ({ bits, index }: PruneHint): BlobEncoding => ({
  ...(bits === undefined ? {} : { bits }),
  ...(index === undefined ? {} : { index: index as IndexWidth }),
});

/** What holds for a layer: its own hint, and from the file's default what its own leaves open. */
export function hintFor({ default: byDefault, layers }: HintsOfFile, layer: string): PruneHint {
  const own = layers.get(layer);
  if (!own) return byDefault;
  const { bits, index } = byDefault;
  // A rule of its own replaces the default's rule, whatever kind it is.
  return ruleOfHint(own) || own.skip ? { bits, index, ...own } : { ...byDefault, ...own };
}

/**
 * What to write so that a file asks for these hints, by layer; undefined takes a hint away. Layers for which the file says
 * so already, itself or by its default, are left out; one to leave alone (null) needs a `skip` where the default prunes it.
 */
export function hintsToWrite(
  hints: HintsOfFile,
  entries: Iterable<readonly [layer: string, hint: PruneHint | null]>,
): Map<string, PruneHint | undefined> {
  const toWrite = new Map<string, PruneHint | undefined>();
  for (const [layer, hint] of entries) {
    const present = hintFor(hints, layer);
    if (hint ? printHint(hint) === printHint(present) : !ruleOfHint(present)) continue;
    toWrite.set(layer, hint ?? (ruleOfHint(hints.default) ? { skip: true } : undefined));
  }
  return toWrite;
}

/** The choices that hints make for a model: for each blob that pruning takes, of a layer that a hint speaks of. */
export const choicesOfHints = (model: Model, hints: HintsOfFile): Choice[] =>
  model.layers.flatMap((layer) => {
    const hint = hintFor(hints, layer.name);
    const rule = ruleOfHint(hint);
    return rule
      ? layer.blobs
          .filter((blob) => isPrunable(layer, blob))
          .map((blob) => ({
            layer: layer.name,
            blob: blob.index,
            ...rule,
            ...encodingOfHint(hint),
          }))
      : [];
  });

/** The share of the weights that a rule keeps, where that is known without the weights. */
export function keptShare(rule: BlobRule): number | undefined {
  if ('keep' in rule) return rule.keep;
  return rule.method === 'n:m' ? Math.min(1, rule.n / rule.m) : undefined;
}
