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

/** `lenet.pruned-2.caffemodel`: stem, number of a model that was pruned before, extension. */
const modelName = /^(.*?)(?:\.pruned(?:-(\d+))?)?(\.caffemodel(?:\.h5)?)?$/i;

/**
 * `lenet.caffemodel` gives `lenet.pruned.caffemodel`, `lenet.pruned.npz` and `lenet.pruned.json`; each `more` puts the
 * next number after "pruned". What was pruned before is counted on: `lenet.pruned.caffemodel` gives
 * `lenet.pruned-2.caffemodel`.
 */
export function outputPaths(model: string, more = 0): OutputPaths {
  const name = basename(model);
  const [, stem, number, suffix = ''] = modelName.exec(name)!;
  const isPruned = name.length > stem.length + suffix.length;
  const own = isPruned ? Number(number ?? 1) : 0;
  const next = own + 1 + more;
  const base = join(dirname(model), `${stem}.pruned${next > 1 ? `-${next}` : ''}`);
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
  let more = 0;
  if (existing === 'keepBoth') {
    while ((await existingOutputs(outputPaths(model, more))).length > 0) more++;
  }
  return outputPaths(model, more);
}
