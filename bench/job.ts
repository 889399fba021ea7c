// Runs a job on a model and prints its time and the peak memory of this process: `job.ts NAME FILE`.
import { openFile } from '../src/caffe/byteSource';
import { openModel } from '../src/caffe/model';
import { inspect } from '../src/jobs/inspect';
import { prune } from '../src/jobs/prune';
import { choicesFor } from '../src/sparsity/recipe';

const [name, file] = process.argv.slice(2);
const { signal } = new AbortController();
const start = performance.now();
if (name === 'inspect') {
  for await (const _event of inspect({ file }, { signal }));
} else if (name.startsWith('prune')) {
  const source = await openFile(file);
  const choices = choicesFor(await openModel(source), { method: 'keep', keep: name === 'prune' ? 0.1 : 1 });
  await source.close();
  const job = prune({ file, existing: 'replace', encoding: 'relative', seed: 1, choices }, { signal });
  for await (const _event of job);
}
console.log(
  JSON.stringify({
    milliseconds: performance.now() - start,
    peak: process.resourceUsage().maxRSS * 1024,
  }),
);
