import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseSolver } from '../../../src/caffe/readNet';
import { findCompanions } from '../../../src/jobs/companions';
import { defaultSolver } from '../../../src/jobs/defaultSolver';
import { modelBytes } from './tinyNet';

const folder = mkdtempSync(join(tmpdir(), 'companions-'));
afterAll(() => rmSync(folder, { recursive: true }));

const layer = (type: string, name: string, more = '') =>
  `layer { type: "${type}" name: "${name}" ${more} }\n`;
const data = layer('Data', 'data', 'top: "data" top: "label" include { phase: TEST }');
const weights = (...names: string[]) => names.map((name) => layer('InnerProduct', name)).join('');
const model = modelBytes(
  ['ip1', 'ip2'].map((name) => ({
    name,
    type: 'InnerProduct',
    blobs: [{ shape: [1, 1], data: new Float32Array(1) }],
  })),
);

const statePath = (iteration: number, extension = '') =>
  join(folder, `lenet.caffemodel.retraining_iter_${iteration}.solverstate${extension}`);

const run = {
  choices: [{ layer: 'ip1', blob: 0, keep: 0.1 }],
  schedule: { kind: 'oneShot' },
  iterations: 1000,
  encoding: 'relative',
};

beforeAll(() => {
  const files: Record<string, string | Uint8Array> = {
    'lenet.caffemodel': model,
    'lenet.pruned.caffemodel': model,
    'lenet.pruned-2.caffemodel': model,
    'lenet2.caffemodel': model,
    'deploy.prototxt': layer('Input', 'data') + weights('ip1', 'ip2'),
    'train_val.prototxt': data + weights('ip1', 'ip2'),
    // Half of its layers are another net's.
    'other_train_val.prototxt': data + weights('ip1', 'ip9'),
    'alexnet.prototxt': data + weights('fc6'),
    'train_only.prototxt': data.replace('TEST', 'TRAIN') + weights('ip1', 'ip2'),
    'solver.prototxt': 'net: "train_val.prototxt" base_lr: 0.1',
    'lenet_solver.prototxt': 'net: "train_val.prototxt" base_lr: 0.1',
    'broken.prototxt': 'layer { name: "ip1" ',
    'lenet.caffemodel.retraining_iter_900.solverstate': '',
    'lenet.caffemodel.retraining_iter_900.progress.json': JSON.stringify({ run }),
    'lenet.caffemodel.retraining_iter_800.solverstate': '',
    'lenet.caffemodel.retraining_iter_800.progress.json': '{"run": {"iterations": "all"}}',
    'lenet.caffemodel.retraining_iter_1200.solverstate.h5': '',
    'lenet.caffemodel.retraining_iter_1200.caffemodel.h5': model,
    'lenet2.caffemodel.retraining_iter_5.solverstate': '',
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  utimesSync(statePath(900), 2, 2);
  utimesSync(statePath(1200, '.h5'), 1, 1);
});

test('finds nets with the weights of the model, those with data of their own first', async () => {
  const { nets } = await findCompanions(join(folder, 'lenet.caffemodel'));
  const found = nets.map(({ file, hasData }) => [basename(file), hasData]);
  expect(found[0]).toEqual(['train_val.prototxt', true]);
  expect(found).toContainEqual(['deploy.prototxt', false]);
  expect(found).toContainEqual(['train_only.prototxt', false]);
  const names = found.map(([name]) => name);
  expect(names.indexOf('other_train_val.prototxt')).toBeGreaterThan(0);
  expect(names).not.toContain('alexnet.prototxt');
  expect(names).not.toContain('solver.prototxt');
});

test('finds solvers, models of the same stem, and the states that a retraining left, the latest first', async () => {
  const { solvers, models, checkpoints } = await findCompanions(join(folder, 'lenet.caffemodel'));
  expect(solvers.map((file) => basename(file))).toEqual(['lenet_solver.prototxt', 'solver.prototxt']);
  expect(models.map((file) => basename(file)).sort()).toEqual([
    'lenet.pruned-2.caffemodel',
    'lenet.pruned.caffemodel',
  ]);
  // By when they were written: a run that began anew has come less far.
  expect(checkpoints).toEqual([
    { state: statePath(900), iteration: 900, run },
    { state: statePath(1200, '.h5'), iteration: 1200, run: undefined },
  ]);
  const ofPruned = await findCompanions(join(folder, 'lenet.pruned.caffemodel'));
  expect(ofPruned.models.map((file) => basename(file))).toContain('lenet.caffemodel');
  expect(ofPruned.checkpoints).toEqual([]);
});

test('the solver for a net without one is what a prototxt with its fields says', () => {
  const { test_iter: tests, ...fields } = defaultSolver('net.prototxt');
  const text = Object.entries(fields)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    .join('\n');
  expect(parseSolver(text)).toMatchObject({ ...fields, random_seed: expect.anything() as unknown });
  // More batches than any test set has: all of it is measured on.
  expect(tests).toEqual([1_000_000]);
});
