import type { Existing } from '../jobs/outputs';
import type { SparseEncoding } from '../sparsity/recipe';
import { type Arguments, type Command, flag, parseNumber, texts, UsageError, word } from './command';

/** Options of the commands that write a pruned model. */
export const pruningOptions: Command['options'] = {
  layer: { type: 'string', multiple: true },
  encoding: { type: 'string' },
  replace: { type: 'boolean' },
  'keep-both': { type: 'boolean' },
};

export const pruningHelp = `  --encoding E         relative (default), csr or csc
  --replace            replace outputs that are there
  --keep-both          write numbered outputs beside those that are there`;

/** The keep ratio of each layer that `--layer NAME=RATIO` names. */
export const layerRatios = (args: Arguments): Map<string, number> =>
  new Map(
    texts(args, 'layer').map((item) => {
      const at = item.lastIndexOf('=');
      if (at <= 0) throw new UsageError(`--layer: "${item}" is not like ip1=0.1`);
      return [item.slice(0, at), parseNumber(item.slice(at + 1), '--layer', 0, 1)] as const;
    }),
  );

export const encodingOf = (args: Arguments): SparseEncoding =>
  word(args, 'encoding', ['relative', 'csr', 'csc'] as const) ?? 'relative';

/** What happens to outputs that are there. */
export const existingOf = (args: Arguments): Existing =>
  flag(args, 'replace') ? 'replace' : flag(args, 'keep-both') ? 'keepBoth' : 'refuse';
