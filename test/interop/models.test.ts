import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openFile } from '../../src/caffe/byteSource';
import { openModel } from '../../src/caffe/model';
import { Random } from '../../src/caffe/random';
import { parseSolver } from '../../src/caffe/readNet';
import { readBlob } from '../../src/caffe/readBlob';
import { lmdbFile } from '../../src/data/lmdbWriter';
import { evaluate } from '../../src/jobs/evaluate';
import { loadWeights } from '../../src/jobs/loadWeights';
import { retrain } from '../../src/jobs/retrain';
import type { RetrainEvent } from '../../src/jobs/retrainSession';
import { createSample } from '../../src/jobs/sample';
import { TestNet } from '../../src/jobs/testNet';
import { PortableEngine } from '../../src/tensor/portable';
import { shared } from '../support/prototxts';
import { runJob } from '../unit/jobs/tinyNet';
import { pruned } from './pruned';
import { caffeTest, caffeTrain, hasCaffe, runCaffe } from './realCaffe';

const folder = mkdtempSync(join(tmpdir(), 'interop-models-'));
const engine = new PortableEngine();
const { signal } = new AbortController();
afterAll(() => {
  engine.dispose();
  rmSync(folder, { recursive: true });
});

/** How many weights of each layer are zero in a model file. */
async function zerosOf(file: string): Promise<Map<string, number>> {
  const source = await openFile(file);
  const zeros = new Map<string, number>();
  for (const { name, blobs } of (await openModel(source)).layers) {
    if (blobs.length > 0)
      zeros.set(name, (await readBlob(source, blobs[0])).filter((value) => value === 0).length);
  }
  await source.close();
  return zeros;
}

describe.skipIf(!hasCaffe)('accuracy and loss on the sample project are those of caffe test', () => {
  beforeAll(() => runJob(createSample({ folder, train: 64 }, { signal })));

  test.each([1, 0.1, 0.05, 0.02])('with a share of %d of the weights', async (keep) => {
    const dense = join(folder, 'lenet.caffemodel');
    const model = keep < 1 ? await pruned(dense, keep) : dense;
    const netFile = join(folder, 'train_val.prototxt');
    const { result } = await runJob(evaluate({ netFile, models: [model] }, { signal, engine }));
    const [{ items, outputs }] = result.evaluations;
    const theirs = caffeTest(folder, 'train_val.prototxt', basename(model), items / 100);
    expect(Object.keys(theirs.means).sort()).toEqual(['accuracy', 'loss']);
    for (const [name, mean] of Object.entries(theirs.means))
      expect(Math.abs(outputs[name] - mean), name).toBeLessThan(1e-4);
  });

  /** The real Caffe begins at the checkpoint, where its test gives what we measured. */
  function expectToGoOn({ checkpoint, measurement }: RetrainEvent): void {
    const text = readFileSync(join(folder, 'solver.prototxt'), 'utf8');
    writeFileSync(join(folder, 'on.prototxt'), text.replace(/(max_iter|test_interval): \d+/g, '$1: 5'));
    const log = runCaffe(folder, 'caffe', 'train', '-solver', 'on.prototxt', '-snapshot', checkpoint!);
    const tested = [...log.matchAll(/Test net output #\d: (\S+) = (\S+)/g)];
    const { accuracy, loss } = Object.fromEntries(
      tested.map(([, name, value]) => [name, Number(value)]),
    ) as Record<string, number>;
    expect(log).toMatch(/Iteration 5, Testing net/);
    expect(measurement!.test!.accuracy).toBeCloseTo(accuracy, 4);
    expect(measurement!.test!.loss).toBeCloseTo(loss, 4);
  }

  test('after retraining, of which every pruned weight is zero', async () => {
    const solverFile = join(folder, 'solver.prototxt');
    const solver = parseSolver(readFileSync(solverFile, 'utf8'));
    const choices = ['conv1', 'conv2', 'ip1', 'ip2'].map((layer) => ({ layer, blob: 0, keep: 0.1 }));
    const job = retrain(
      {
        ...{ solverFile, solver, choices, file: join(folder, 'lenet.caffemodel') },
        ...{ schedule: { kind: 'gradual', interval: 2 }, iterations: 10, measureEvery: 5 },
        ...{ encoding: 'relative', existing: 'replace' },
      },
      { signal, engine },
    );
    let step = await job.next();
    for (; step.done !== true; step = await job.next())
      if (step.value.measurement?.iteration === 5) expectToGoOn(step.value);
    const result = step.value;
    const { best, history } = result.report;
    expect(history.map(({ iteration }) => iteration)).toEqual([0, 5, 10]);
    const { means } = caffeTest(folder, 'train_val.prototxt', result.outputs.dense, 20);
    expect(best.test!.accuracy).toBeCloseTo(means.accuracy, 4);
    expect(best.test!.loss).toBeCloseTo(means.loss, 4);
    const zeros = await zerosOf(result.outputs.dense);
    for (const { layer, kept, count } of best.layers) {
      expect(kept).toBeLessThanOrEqual(Math.ceil(count / 10));
      expect(zeros.get(layer)).toBeGreaterThanOrEqual(count - kept);
    }
  });
});

const encodings = join(shared, 'models/derived-encodings-small');
const landmark = join(shared, 'models/deep-landmark');

describe.skipIf(!hasCaffe || !existsSync(encodings))('pruned models of every kind', () => {
  const netFile = join(folder, 'landmark.prototxt');
  const batch = 4;

  beforeAll(async () => {
    // The same net with pictures to look at; without the last ReLU, which would hide what is below zero.
    const net = readFileSync(join(landmark, '2_LE1.derived_deploy.prototxt'), 'utf8')
      .replace(/input: "data"\s*input_shape \{.*\}/, () => `layer { ${data} }`)
      .replace(/layer \{\s*name: "relu_fc2"[^}]*\}/, '');
    writeFileSync(netFile, net);
    const random = new Random(5);
    const pixels = () => Uint8Array.from({ length: 15 * 15 }, () => random.below(256));
    await mkdir(join(folder, 'pictures'));
    const records = Array.from({ length: batch }, (_, i) => ({
      key: Buffer.from(`${i}`),
      // Datum: channels, height, width, data.
      value: Buffer.from([8, 1, 16, 15, 24, 15, 34, 225, 1, ...pixels()]),
    }));
    writeFileSync(join(folder, 'pictures/data.mdb'), lmdbFile(records));
    for (const kind of kinds) if (kind.source) await cp(kind.source, join(folder, kind.file));
    // HDF5 is written by the real Caffe itself.
    writeFileSync(
      join(folder, 'copy.prototxt'),
      'net: "landmark.prototxt" lr_policy: "fixed" base_lr: 0 max_iter: 0 snapshot_format: HDF5 snapshot_prefix: "landmark"',
    );
    caffeTrain(folder, 'copy.prototxt', '-weights', 'landmark_V2.caffemodel');
  });

  const data = `name: "pictures" type: "Data" top: "data" transform_param { scale: 0.00390625 }
    data_param { source: "pictures" batch_size: ${batch} backend: LMDB }`;
  const kinds = [
    { file: 'landmark_V2.caffemodel', source: join(landmark, '2_LE1.caffemodel') },
    { file: 'landmark_iter_0.caffemodel.h5', source: undefined },
    ...['V0', 'V1', 'double_data', 'unpacked_float', 'with_diff', 'new_layer_legacy4d'].map((kind) => ({
      file: `landmark_${kind}.caffemodel`,
      source: join(encodings, `landmark_${kind}.caffemodel`),
    })),
  ];

  test.each(kinds)('$file gives the same outputs in both', async ({ file }) => {
    const model = await pruned(join(folder, file), 0.3);
    const net = await TestNet.open({ netFile }, { engine });
    try {
      expect(await loadWeights(net.net, model, signal)).toEqual([]);
      expect((await net.batches(signal).next()).done).toBe(false);
      net.net.forward();
      const ours = [...net.net.blob('fc2').data];
      const { fc2 } = caffeTest(folder, basename(netFile), basename(model)).values;
      expect(fc2).toHaveLength(ours.length);
      expect(new Set(fc2).size).toBe(ours.length);
      ours.forEach((value, i) => expect(fc2[i]).toBeCloseTo(value, 4));
    } finally {
      await net.dispose();
    }
  });
});
