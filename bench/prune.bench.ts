// What pruning by magnitude costs: choosing and zeroing in memory against the way of the numpy tutorials.
import { spawnSync } from 'node:child_process';
import { Random } from '../src/caffe/random';
import { readBlob } from '../src/caffe/readBlob';
import { weightGeometry } from '../src/sparsity/geometry';
import { pruneBlob } from '../src/sparsity/selection';
import { findPython } from '../test/python';
import { compare, heading } from './measure';
import { benchModel, floatRanges, withModel } from './models';

const keep = 0.1;

heading('Pruning a model');
const python = findPython('numpy');
for (const [net, repeats] of [
  ['lenet', 15],
  ['vgg16', 3],
] as const) {
  const file = await benchModel(net);
  if (python === undefined) console.log('| (numpy is not there to compare with) | | | |');
  else {
    const ranges = await floatRanges(file);
    await compare({
      what: `${net}: threshold and zeros of all blobs`,
      baseline: { name: 'numpy, sort and mask', run: () => numpy(python, file, ranges) },
      ours: { name: 'radix select', run: () => prune(file) },
      repeats,
    });
  }
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
function numpy(python: string, file: string, ranges: [number, number][]): number {
  const script = `
import sys, json, time, numpy as np
file, ranges = sys.argv[1], json.loads(sys.argv[2])
blobs = [np.fromfile(file, np.float32, count, offset=offset) for offset, count in ranges]
start = time.perf_counter()
for w in blobs:
    threshold = -np.sort(-np.abs(w))[int((w.size - 1) * ${keep})]
    w *= np.abs(w) > threshold
print((time.perf_counter() - start) * 1000)
`;
  const child = spawnSync(python, ['-c', script, file, JSON.stringify(ranges)], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  return Number(child.stdout);
}
