import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findSnapshots, snapshotPrefix } from '../../../src/jobs/snapshots';

const root = mkdtempSync(join(tmpdir(), 'snapshots-'));
const solverFile = join(root, 'examples/mnist/lenet_solver.prototxt');
const at = (...parts: string[]) => join(root, ...parts);

beforeAll(() => {
  for (const folder of ['examples/mnist/states', 'lenet', 'states'])
    mkdirSync(at(folder), { recursive: true });
});
afterAll(() => rmSync(root, { recursive: true }));

test.each([
  ['named after the solver without a prefix', undefined, at('examples/mnist/lenet_solver')],
  ['beside the solver', 'lenet', at('examples/mnist/lenet')],
  ['in a folder of that name, after the solver', 'states', at('examples/mnist/states/lenet_solver')],
  ['in a folder of that name, after the solver', 'states/', at('examples/mnist/states/lenet_solver')],
  ['from the root that Caffe is started in', 'examples/mnist/lenet', at('examples/mnist/lenet')],
  ['beside the solver where its folder is nowhere', 'no/such/folder/lenet', at('examples/mnist/lenet')],
  ['at an absolute path', at('lenet/net'), at('lenet/net')],
])('snapshots are %s', async (_, snapshot_prefix, expected) => {
  expect(await snapshotPrefix({ solverFile, solver: { snapshot_prefix } })).toBe(expected);
});

test('snapshots are found in either format, the one written last first', async () => {
  const prefix = at('states/net');
  const names = [
    'iter_9.solverstate',
    'iter_10.solverstate.h5',
    'iter_11.caffemodel',
    'iter_12.solverstate.tmp',
  ];
  for (const [i, name] of [...names, 'other_iter_1.solverstate'].entries()) {
    writeFileSync(`${prefix}_${name}`, '');
    utimesSync(`${prefix}_${name}`, 100 - i, 100 - i);
  }
  expect(await findSnapshots(prefix)).toEqual([
    { state: `${prefix}_iter_9.solverstate`, iteration: 9 },
    { state: `${prefix}_iter_10.solverstate.h5`, iteration: 10 },
  ]);
  expect(await findSnapshots(at('nowhere/net'))).toEqual([]);
});
