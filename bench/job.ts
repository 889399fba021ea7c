// Runs a job on a model, several times if told so, and prints its median time and the peak memory of this process:
// `job.ts NAME FILE [ROUNDS]`.
import { openFile } from '../src/caffe/byteSource';
import { openModel } from '../src/caffe/model';
import { inspect } from '../src/jobs/inspect';
import { prune } from '../src/jobs/prune';
import { choicesFor } from '../src/sparsity/recipe';
import { median } from './measure';

const [name, file, rounds = '1'] = process.argv.slice(2);
const { signal } = new AbortController();
const times: number[] = [];
for (let round = 0; round < Number(rounds); round++) {
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
  times.push(performance.now() - start);
}
console.log(
  JSON.stringify({
    milliseconds: median(times),
    peak: process.resourceUsage().maxRSS * 1024,
  }),
);
