import { readdirSync, readFileSync } from 'node:fs';
import { File, ready } from 'h5wasm/node';
import { afterAll, describe, expect, it } from 'vitest';
import { memorySource } from '../../../src/caffe/byteSource';
import { openModel } from '../../../src/caffe/model';
import { Net } from '../../../src/network/net';
import { Solver } from '../../../src/network/solver';
import { engines } from '../../support/engines';
import { readNpz } from '../../support/npz';
import { parseNet, parseSolver } from '../../../src/caffe/readNet';

const golden = new URL('../../fixtures/golden/solvers/', import.meta.url).pathname;

/** All rows of the data sets of an HDF5 file, by name. */
async function readHdf5(path: string) {
  await ready;
  const file = new File(path, 'r');
  const read = (name: string) => {
    const dataset = file.get(name);
    if (dataset === null || !('value' in dataset)) throw new Error(`no data set ${name}`);
    return { shape: [...(dataset.shape ?? [])], data: Float32Array.from(dataset.value as Float32Array) };
  };
  return { data: read('data'), label: read('label') };
}

describe.each(engines)('30 iterations against the real Caffe, $name engine', ({ makeEngine }) => {
  const engine = makeEngine();
  afterAll(() => engine.dispose());

  it.each(readdirSync(golden))('%s', async (name) => {
    const folder = `${golden}${name}/`;
    const tops = Object.values(await readHdf5(`${folder}train.h5`));
    const parameter = parseNet(readFileSync(`${folder}net.prototxt`, 'utf8'));
    const batch = parameter.layer[0].hdf5_data_param?.batch_size ?? 0;
    const net = new Net(parameter, {
      phase: 'TRAIN',
      engine,
      sourceShapes: ({ type }) =>
        type === 'HDF5Data' ? tops.map(({ shape }) => shape.with(0, batch)) : undefined,
    });
    const initial = memorySource('initial', readFileSync(`${folder}initial.caffemodel`));
    await net.loadWeights(initial, await openModel(initial));
    const items = tops[0].shape[0];
    let row = 0;
    const solver = new Solver(
      parseSolver(readFileSync(`${folder}solver.prototxt`, 'utf8')),
      net,
      engine,
      () => {
        const rows = Array.from({ length: batch }, (_, i) => (row + i) % items);
        row = (row + batch) % items;
        net.feed(
          'data',
          tops.map(({ shape, data }) => {
            const size = data.length / items;
            const values = new Float32Array(batch * size);
            rows.forEach((from, to) => values.set(data.subarray(from * size, (from + 1) * size), to * size));
            return { shape: shape.with(0, batch), data: values };
          }),
        );
        return Promise.resolve();
      },
    );
    const result = readNpz(readFileSync(`${folder}result.npz`));
    const losses = result.get('loss')?.data ?? new Float32Array(0);
    expect(losses.length).toBe(30);
    for (const expected of losses) {
      await solver.step();
      // Recorded from the blob: with iter_size that is the last batch's loss.
      const [loss] = net.blob('loss').data;
      expect(Math.abs(loss - expected) / expected).toBeLessThan(1e-3);
    }
    for (const [key, { data }] of result) {
      if (!key.startsWith('param/')) continue;
      const [, layer, index] = key.split('/');
      const ours = net.paramsOf(layer)[Number(index)].data;
      const size = data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
      const error = data.reduce((largest, value, i) => Math.max(largest, Math.abs(value - ours[i])), 0);
      // Where the true gradient is 0 (a bias in front of BatchNorm) there is nothing but rounding to compare.
      expect(error / Math.max(size, 1e-3), key).toBeLessThan(1e-3);
    }
    solver.dispose();
    net.dispose();
  });
});
