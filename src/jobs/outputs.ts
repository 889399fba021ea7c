import { stat } from 'node:fs/promises';
import { alreadyThere } from '../caffe/atomicWrite';
import { modelName } from '../caffe/modelName';

/** The three files that pruning writes beside a model. */
export interface OutputPaths {
  dense: string;
  sparse: string;
  recipe: string;
}

/** What to do when an output is there already. */
export type Existing = 'refuse' | 'replace' | 'keepBoth';

/**
 * `lenet.caffemodel` gives `lenet.pruned.caffemodel`, `lenet.pruned.npz` and `lenet.pruned.json`; each `more` puts the
 * next number after "pruned". What was pruned before is counted on: `lenet.pruned.caffemodel` gives
 * `lenet.pruned-2.caffemodel`.
 */
export function outputPaths(model: string, more = 0): OutputPaths {
  const { stem, pruned, extension } = modelName(model);
  const next = pruned + 1 + more;
  const base = `${stem}.pruned${next > 1 ? `-${next}` : ''}`;
  return { dense: `${base}${extension || '.caffemodel'}`, sparse: `${base}.npz`, recipe: `${base}.json` };
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

/**
 * The paths to write to: with `keepBoth`, the first numbered ones of which none is there.
 * @throws CaffeError when one is there that is not to give way: sooner than after hours of training
 */
export async function chooseOutputs(model: string, existing: Existing): Promise<OutputPaths> {
  let more = 0;
  if (existing === 'keepBoth') {
    while ((await existingOutputs(outputPaths(model, more))).length > 0) more++;
  }
  const paths = outputPaths(model, more);
  if (existing === 'refuse') {
    const [there] = await existingOutputs(paths);
    if (there !== undefined) throw alreadyThere(there);
  }
  return paths;
}
