// Runs a job on a model, several times if told so, and prints its median time and the peak memory of this process:
// `job.ts NAME FILE [ROUNDS]`.
import { rmSync } from 'node:fs';
import { inspect } from '../src/jobs/inspect';
import { outputPaths } from '../src/jobs/outputs';
import { prune } from '../src/jobs/prune';
import { choicesFor } from '../src/sparsity/recipe';
import { median } from './measure';
import { withModel } from './models';

const [name, file, rounds = '1'] = process.argv.slice(2);
const { signal } = new AbortController();
const run = await jobNamed(name);
const times: number[] = [];
for (let round = 0; round < Number(rounds); round++) {
  // New files each time, as those of the copy are: to free the room of old ones takes the disk a while.
  for (const output of Object.values({ ...outputPaths(file) })) rmSync(output, { force: true });
  const start = performance.now();
  for await (const _event of run());
  times.push(performance.now() - start);
}
console.log(
  JSON.stringify({
    milliseconds: median(times),
    peak: process.resourceUsage().maxRSS * 1024,
  }),
);

async function jobNamed(name: string): Promise<() => AsyncIterable<unknown>> {
  if (name === 'inspect') return () => inspect({ file }, { signal });
  if (!name.startsWith('prune')) return async function* () {};
  const keep = name === 'prune' ? 0.1 : 1;
  const choices = await withModel(file, (model) =>
    Promise.resolve(choicesFor(model, { method: 'keep', keep })),
  );
  return () => prune({ file, existing: 'refuse', encoding: 'relative', seed: 1, choices }, { signal });
}
