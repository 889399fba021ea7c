// What pruning by magnitude costs: choosing and zeroing in memory against the way of the numpy tutorials, the whole job
// against a copy of the file; and what inspecting and pruning hold in memory.
import { spawnSync } from 'node:child_process';
import { copyFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Random } from '../src/caffe/random';
import { readBlob } from '../src/caffe/readBlob';
import { weightGeometry } from '../src/sparsity/geometry';
import { pruneBlob } from '../src/sparsity/selection';
import { findPython } from '../test/python';
import { outputPaths } from '../src/jobs/outputs';
import { compare, heading, medianOf, row } from './measure';
import { benchModel, floatRanges, withModel } from './models';

const keep = 0.1;
const million = 1e6;

heading('Pruning a model');
const python = findPython('numpy');
// What takes a few ms is done often in each run, as by a process that serves one job after the other.
for (const [net, repeats, rounds] of [
  ['lenet', 5, 60],
  ['vgg16', 5, 1],
] as const) {
  const file = await benchModel(net);
  if (python === undefined) console.log('| (numpy is not there to compare with) | | | |');
  else {
    const ranges = await floatRanges(file);
    await compare({
      what: `${net}: threshold and zeros of all blobs`,
      baseline: { name: 'numpy, sort and mask', run: () => numpy(python, file, ranges, rounds) },
      ours: { name: 'radix select', run: () => medianOf(rounds, () => prune(file)) },
      repeats,
    });
  }
  await compare({
    what: `${net}: the whole job, all three files flushed to the disk`,
    baseline: { name: 'a copy of the file, flushed', run: () => medianOf(rounds, () => copy(file)) },
    ours: { name: 'prune', run: () => runJob('prune', file, rounds).milliseconds },
    repeats,
  });
  for (const output of Object.values({ ...outputPaths(file) })) rmSync(output, { force: true });
}

const vgg16 = await benchModel('vgg16');
const largest = await withModel(vgg16, ({ layers }) =>
  Promise.resolve(Math.max(...layers.flatMap(({ blobs }) => blobs.map(({ count }) => 4 * count)))),
);
const idle = runJob('nothing', vgg16).peak;
row('', '', '', '');
row('memory, vgg16', 'allowed', 'peak of the process', '');
for (const [job, allowed] of [
  ['inspect', idle + 64 * million],
  ['prune', 1.5 * largest + 200 * million],
  ['prune to keep all', 1.5 * largest + 200 * million],
] as const) {
  const { peak } = runJob(job, vgg16);
  row(job, megabytes(allowed), megabytes(peak), `${(peak / allowed).toFixed(2)} of it`);
}
for (const output of Object.values({ ...outputPaths(vgg16) })) rmSync(output, { force: true });

function megabytes(bytes: number): string {
  return `${Math.round(bytes / million)} MB`;
}

/** Runs a job in a process of its own; its median time over some rounds. */
function runJob(job: string, file: string, rounds = 1): { milliseconds: number; peak: number } {
  const child = spawnSync(process.execPath, ['scripts/run.mjs', 'bench/job.ts', job, file, `${rounds}`], {
    encoding: 'utf8',
  });
  if (child.status !== 0) throw new Error(child.stderr);
  return JSON.parse(child.stdout) as { milliseconds: number; peak: number };
}

/** Milliseconds of a plain copy that is on the disk as surely as our outputs are. */
async function copy(file: string): Promise<number> {
  const target = `${file}.copy`;
  const start = performance.now();
  copyFileSync(file, target);
  const handle = await open(target, 'r+');
  await handle.sync();
  await handle.close();
  const spent = performance.now() - start;
  rmSync(target);
  return spent;
}

/** Milliseconds to prune all blobs, each in memory. */
function prune(file: string): Promise<number> {
  return withModel(file, async ({ layers }, source) => {
    let spent = 0;
    for (const layer of layers) {
      for (const blob of layer.blobs) {
        const values = (await readBlob(source, blob)).slice();
        const start = performance.now();
        pruneBlob(
          values,
          { method: 'keep', keep },
          { geometry: weightGeometry(layer.type, blob.shape), std: 0, random: new Random(1) },
        );
        spent += performance.now() - start;
      }
    }
    return spent;
  });
}

/** The tutorials' way: sort all negated magnitudes, take the one at the keep ratio, multiply by the mask. */
function numpy(python: string, file: string, ranges: [number, number][], rounds: number): number {
  const script = `
import sys, json, time, numpy as np
file, ranges = sys.argv[1], json.loads(sys.argv[2])
def prune():
    blobs = [np.fromfile(file, np.float32, count, offset=offset) for offset, count in ranges]
    start = time.perf_counter()
    for w in blobs:
        threshold = -np.sort(-np.abs(w))[int((w.size - 1) * ${keep})]
        w *= np.abs(w) > threshold
    return (time.perf_counter() - start) * 1000
print(np.median([prune() for _ in range(${rounds})]))
`;
  const child = spawnSync(python, ['-c', script, file, JSON.stringify(ranges)], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  return Number(child.stdout);
}
