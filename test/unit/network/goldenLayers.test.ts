import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { memorySource } from '../../../src/caffe/byteSource';
import { openModel } from '../../../src/caffe/model';
import { Net } from '../../../src/network/net';
import { engines } from '../../support/engines';
import { readNpz, type NpyArray } from '../../support/npz';
import { parseNet } from '../../../src/caffe/readNet';

const golden = new URL('../../fixtures/golden/layers/', import.meta.url).pathname;

/** ‖ours − theirs‖ / ‖theirs‖, largest difference over largest value. */
function relativeError(ours: Float32Array, theirs: Float32Array): number {
  let difference = 0;
  let size = 0;
  theirs.forEach((value, i) => {
    difference = Math.max(difference, Math.abs(ours[i] - value));
    size = Math.max(size, Math.abs(value));
  });
  return size === 0 ? difference : difference / size;
}

function expectClose(ours: { shape: readonly number[]; data: Float32Array }, theirs: NpyArray, what: string) {
  expect([what, ...ours.shape]).toEqual([what, ...theirs.shape]);
  expect(ours.data.every(Number.isFinite), `${what} is finite`).toBe(true);
  expect(relativeError(ours.data, theirs.data), what).toBeLessThan(1e-4);
}

describe.each(engines)('layers against the real Caffe, $name engine', ({ makeEngine }) => {
  const engine = makeEngine();
  afterAll(() => engine.dispose());

  it.each(readdirSync(golden))('%s', async (name) => {
    const folder = `${golden}${name}/`;
    const io = readNpz(readFileSync(`${folder}io.npz`));
    const phase = io.get('phase')?.data[0] === 1 ? 'TEST' : 'TRAIN';
    const net = new Net(parseNet(readFileSync(`${folder}net.prototxt`, 'utf8')), {
      phase,
      engine,
      gradients: true,
    });
    const source = memorySource('net.caffemodel', readFileSync(`${folder}net.caffemodel`));
    await net.loadWeights(source, await openModel(source));
    const arrays = (prefix: string) =>
      [...io]
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, array]) => ({ key: key.slice(prefix.length), array }));
    for (const { key, array } of arrays('in/')) net.setInput(key, array.shape, array.data);
    net.forward();
    for (const { key, array } of arrays('out/')) expectClose(net.blob(key), array, key);
    const topDiffs = arrays('topdiff/');
    for (const { key, array } of topDiffs) net.blob(key).diff.set(array.data);
    if (topDiffs.length > 0) {
      net.clearGradients();
      net.backward();
    }
    for (const { key, array } of arrays('diff/'))
      expectClose({ shape: net.blob(key).shape, data: net.blob(key).diff }, array, `gradient of ${key}`);
    for (const { key, array } of arrays('paramdiff/')) {
      const [layer, index] = key.split('/');
      const { shape, diff } = net.paramsOf(layer)[Number(index)];
      expectClose({ shape, data: diff }, array, `gradient of ${key}`);
    }
    net.dispose();
  });
});
