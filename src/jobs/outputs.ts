import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** The three files that pruning writes beside a model. */
export interface OutputPaths {
  dense: string;
  sparse: string;
  recipe: string;
}

/** What to do when an output is there already. */
export type Existing = 'refuse' | 'replace' | 'keepBoth';

const extension = /\.caffemodel(\.h5)?$/i;

/**
 * `lenet.caffemodel` gives `lenet.pruned.caffemodel`, `lenet.pruned.npz` and `lenet.pruned.json`; a `number` above 1
 * is put after "pruned".
 */
export function outputPaths(model: string, number = 1): OutputPaths {
  const name = basename(model);
  const suffix = extension.exec(name)?.[0] ?? '';
  const stem = name.slice(0, name.length - suffix.length);
  const base = join(dirname(model), `${stem}.pruned${number > 1 ? `-${number}` : ''}`);
  return { dense: `${base}${suffix || '.caffemodel'}`, sparse: `${base}.npz`, recipe: `${base}.json` };
}

/** Those of the outputs that are there already. */
export async function existingOutputs(paths: OutputPaths): Promise<string[]> {
  const found = await Promise.all(
    [paths.dense, paths.sparse, paths.recipe].map((path) =>
      stat(path).then(
        () => path,
        () => undefined,
      ),
    ),
  );
  return found.filter((path) => path !== undefined);
}

/** The paths to write to: with `keepBoth`, the first numbered ones of which none is there. */
export async function chooseOutputs(model: string, existing: Existing): Promise<OutputPaths> {
  let number = 1;
  if (existing === 'keepBoth') {
    while ((await existingOutputs(outputPaths(model, number))).length > 0) number++;
  }
  return outputPaths(model, number);
}
