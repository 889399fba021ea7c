import { openFile } from '../../src/caffe/byteSource';
import { openModel } from '../../src/caffe/model';
import { prune } from '../../src/jobs/prune';
import { choicesFor } from '../../src/sparsity/recipe';
import { runJob } from '../unit/jobs/tinyNet';

/** Prunes a model to a share of its weights; returns the path of the pruned one. */
export async function pruned(file: string, keep: number): Promise<string> {
  const source = await openFile(file);
  const choices = choicesFor(await openModel(source), { method: 'keep', keep });
  await source.close();
  const plan = { encoding: 'relative', seed: 1, choices, existing: 'replace' } as const;
  const { result } = await runJob(prune({ ...plan, file }, { signal: new AbortController().signal }));
  return result.outputs.dense;
}
