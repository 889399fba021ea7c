// What opening a model and looking at all of its weights costs: against a full decode by protobufjs, and against numpy.
import { spawnSync } from 'node:child_process';
import { blobChunks, readBlob } from '../src/caffe/readBlob';
import { addToHistogram, createHistogram } from '../src/sparsity/histogram';
import { StatisticsAccumulator, statisticsOf } from '../src/sparsity/statistics';
import { findPython } from '../test/python';
import { compare, heading } from './measure';
import { benchModel, floatRanges, withModel } from './models';

const bins = 256;

heading('Opening and inspecting a model');
const python = findPython('numpy');
for (const [net, repeats] of [
  ['lenet', 15],
  ['vgg16', 3],
] as const) {
  const file = await benchModel(net);

  await compare({
    what: `${net}: open, first blob shown`,
    baseline: { name: 'protobufjs, full decode', run: () => decodeInChild(file) },
    ours: { name: 'index, one histogram', run: () => open(file) },
    repeats,
  });
  if (python === undefined) console.log('| (numpy is not there to compare with) | | | |');
  else {
    const ranges = await floatRanges(file);
    await compare({
      what: `${net}: statistics and histogram of all blobs`,
      baseline: { name: 'numpy, in memory', run: () => numpy(python, file, ranges) },
      ours: { name: 'from the file', run: () => inspect(file) },
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

/** Two passes over each blob, as its histogram needs the range first. */
function inspect(file: string): Promise<void> {
  return withModel(file, async ({ layers }, source) => {
    for (const blob of layers.flatMap(({ blobs }) => blobs)) {
      const statistics = new StatisticsAccumulator();
      for await (const { chunk } of blobChunks(source, blob)) statistics.add(chunk);
      const { min, max } = statistics.result();
      const histogram = createHistogram(min, max, bins);
      for await (const { chunk } of blobChunks(source, blob)) addToHistogram(histogram, chunk);
    }
  });
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

function numpy(python: string, file: string, ranges: [number, number][]): number {
  const script = `
import sys, json, time, numpy as np
file, ranges = sys.argv[1], json.loads(sys.argv[2])
blobs = [np.fromfile(file, np.float32, count, offset=offset) for offset, count in ranges]
start = time.perf_counter()
for w in blobs:
    np.histogram(w, ${bins}); w.mean(); w.std(); w.min(); w.max()
print((time.perf_counter() - start) * 1000)
`;
  const child = spawnSync(python, ['-c', script, file, JSON.stringify(ranges)], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  return Number(child.stdout);
}
