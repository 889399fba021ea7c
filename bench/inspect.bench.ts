// What opening a model and looking at all of its weights costs: against a full decode by protobufjs, and against numpy.
import { spawnSync } from 'node:child_process';
import { readBlob } from '../src/caffe/readBlob';
import { inspect } from '../src/jobs/inspect';
import { addToHistogram, createHistogram } from '../src/sparsity/histogram';
import { statisticsOf } from '../src/sparsity/statistics';
import { findPython } from '../test/python';
import { compare, heading, medianOf } from './measure';
import { benchModel, floatRanges, withModel } from './models';

const bins = 256;

heading('Opening and inspecting a model');
const python = findPython('numpy');
// What takes a few ms is done often in each run: it is the steady state that is compared.
for (const [net, repeats, rounds] of [
  ['lenet', 15, 20],
  ['vgg16', 5, 1],
] as const) {
  const file = await benchModel(net);

  await compare({
    what: `${net}: open, first blob shown`,
    baseline: { name: 'protobufjs, full decode', run: () => decodeInChild(file) },
    ours: { name: 'index, one histogram', run: () => open(file) },
    repeats: Math.min(repeats, 3),
  });
  if (python === undefined) console.log('| (numpy is not there to compare with) | | | |');
  else {
    const ranges = await floatRanges(file);
    await compare({
      what: `${net}: statistics and histogram of all blobs`,
      baseline: { name: 'numpy, told where they are', run: () => numpy(python, file, ranges, rounds) },
      ours: { name: 'the job', run: () => medianOf(rounds, () => inspectAll(file)) },
      repeats,
    });
  }
}

/** The layers, and what the page first shows: statistics and histogram of the first blob. */
function open(file: string): Promise<void> {
  return withModel(file, async ({ layers }, source) => {
    const values = await readBlob(source, layers[0].blobs[0]);
    const { min, max } = statisticsOf(values);
    addToHistogram(createHistogram(min, max, bins), values);
  });
}

/** The whole job, as the worker runs it. */
async function inspectAll(file: string): Promise<void> {
  const { signal } = new AbortController();
  for await (const _event of inspect({ file, bins }, { signal }));
}

/** Times, in a process with room for it, what a reader built on protobufjs does: read the file, decode all of it. */
function decodeInChild(file: string): number {
  const child = spawnSync(
    process.execPath,
    ['--max-old-space-size=16000', 'scripts/run.mjs', 'bench/decode.ts', file],
    { encoding: 'utf8' },
  );
  if (child.status !== 0) throw new Error(`the decode failed:\n${child.stderr}`);
  return Number(child.stdout);
}

function numpy(python: string, file: string, ranges: [number, number][], rounds: number): number {
  const script = `
import sys, json, time, numpy as np
file, ranges = sys.argv[1], json.loads(sys.argv[2])
def inspect():
    start = time.perf_counter()
    for offset, count in ranges:
        w = np.fromfile(file, np.float32, count, offset=offset)
        np.histogram(w, ${bins}); w.mean(); w.std(); w.min(); w.max()
    return (time.perf_counter() - start) * 1000
print(np.median([inspect() for _ in range(${rounds})]))
`;
  const child = spawnSync(python, ['-c', script, file, JSON.stringify(ranges)], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  return Number(child.stdout);
}
