import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chooseOutputs, outputPaths } from '../../../src/jobs/outputs';

test.each([
  ['lenet.caffemodel', 0, ['lenet.pruned.caffemodel', 'lenet.pruned.npz', 'lenet.pruned.json']],
  ['lenet.caffemodel', 1, ['lenet.pruned-2.caffemodel', 'lenet.pruned-2.npz', 'lenet.pruned-2.json']],
  ['lenet.caffemodel.h5', 0, ['lenet.pruned.caffemodel.h5', 'lenet.pruned.npz', 'lenet.pruned.json']],
  ['weights', 0, ['weights.pruned.caffemodel', 'weights.pruned.npz', 'weights.pruned.json']],
  ['lenet.pruned.caffemodel', 0, ['lenet.pruned-2.caffemodel', 'lenet.pruned-2.npz', 'lenet.pruned-2.json']],
  [
    'lenet.pruned-9.caffemodel',
    1,
    ['lenet.pruned-11.caffemodel', 'lenet.pruned-11.npz', 'lenet.pruned-11.json'],
  ],
  [
    'a.pruned.b.caffemodel',
    0,
    ['a.pruned.b.pruned.caffemodel', 'a.pruned.b.pruned.npz', 'a.pruned.b.pruned.json'],
  ],
])('%s, %i more: %j', (model, more, names) => {
  const { dense, sparse, recipe } = outputPaths(join('folder', model), more);
  expect([dense, sparse, recipe]).toEqual(names.map((name) => join('folder', name)));
});

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'outputs-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('keeping both takes the first number of which no file is there', async () => {
  await writeFile(join(folder, 'lenet.pruned.json'), '');
  await writeFile(join(folder, 'lenet.pruned-2.npz'), '');
  const chosen = await chooseOutputs(join(folder, 'lenet.caffemodel'), 'keepBoth');
  expect(basename(chosen.dense)).toBe('lenet.pruned-3.caffemodel');
});
