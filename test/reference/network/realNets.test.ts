import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { memorySource } from '../../../src/caffe/byteSource';
import { openModel } from '../../../src/caffe/model';
import { Net } from '../../../src/network/net';
import { inferShapes } from '../../../src/network/shapes';
import { PortableEngine } from '../../../src/tensor/portable';
import { readNpy, readNpz, type NpyArray } from '../../support/npz';
import { parseNet } from '../../../src/caffe/readNet';
import { models, partOf, realNets } from '../../support/models';

const present = existsSync(models);
const engine = new PortableEngine();
afterAll(() => engine.dispose());

async function load(prototxt: string, model: string | undefined, inputs: Map<string, NpyArray>) {
  const net = new Net(parseNet(readFileSync(prototxt, 'utf8')), {
    phase: 'TEST',
    engine,
    inputShapes: Object.fromEntries([...inputs].map(([name, { shape }]) => [name, shape])),
  });
  if (model !== undefined) {
    const source = memorySource(model, readFileSync(model));
    await net.loadWeights(source, await openModel(source));
  }
  for (const [name, { shape, data }] of inputs) net.setInput(name, shape, data);
  return net;
}

function expectClose(ours: Float32Array, theirs: Float32Array, what: string) {
  expect(ours.length, what).toBe(theirs.length);
  const largest = theirs.reduce((size, value) => Math.max(size, Math.abs(value)), 0);
  const error = theirs.reduce((worst, value, i) => Math.max(worst, Math.abs(ours[i] - value)), 0);
  expect(error / Math.max(largest, 1e-6), what).toBeLessThan(1e-3);
}

/** Indices of the five largest values. */
const topFive = (values: Float32Array) =>
  [...values.keys()].sort((a, b) => values[b] - values[a]).slice(0, 5);

describe.skipIf(!present)('real nets against the outputs of OpenCV', () => {
  it.each(realNets)('$name', async ({ model, prototxt, file }) => {
    const arrays = readNpz(readFileSync(file));
    const part = (prefix: string) => partOf(arrays, prefix);
    const net = await load(prototxt, model, part('in:'));
    net.forward();
    // A layer's blob may be written over in place by a later one: compare what nobody writes over.
    const writers = new Map<string, string>();
    for (const { name, top } of net.layers) for (const blob of top) writers.set(blob, name);
    let compared = 0;
    for (const [layer, { data }] of part('out:')) {
      const top = net.layers.find(({ name }) => name === layer)?.top[0] ?? '';
      if (writers.get(top) !== layer) continue;
      expectClose(net.blob(top).data, data, layer);
      expect(topFive(net.blob(top).data), layer).toEqual(topFive(data));
      compared++;
    }
    expect(compared).toBeGreaterThan(0);
    net.dispose();
  });
});

const layerFolder = `${models}opencv-layers/`;
const layers = (existsSync(layerFolder) ? readdirSync(layerFolder) : [])
  .filter((name) => /^layer_\w+\.prototxt$/.test(name))
  .map((name) => name.replace('.prototxt', ''));

describe.skipIf(!present)("single layers against Caffe's recorded outputs", () => {
  it.each(layers)('%s', async (name) => {
    const path = (suffix: string) => `${layerFolder}${name}${suffix}`;
    const input = readNpy(
      readFileSync(existsSync(path('.input.npy')) ? path('.input.npy') : `${layerFolder}blob.npy`),
    );
    const model = existsSync(path('.caffemodel')) ? path('.caffemodel') : undefined;
    const net = await load(path('.prototxt'), model, new Map([['input', input]]));
    net.forward();
    const { data } = readNpy(readFileSync(path('.npy')));
    expectClose(net.blob('output').data, data, name);
    net.dispose();
  });
});

/** Pairs of a net and its weights, of every fork and year. */
const pairs = (present ? readFileSync(`${models}VERIFY.tsv`, 'utf8') : '')
  .split('\n')
  .slice(1)
  .map((line) => line.split('\t'))
  .map(([folder, prototxt, model]) => ({
    folder,
    model: `${models}${folder}/${model}`,
    prototxt: `${models}${prototxt?.startsWith('@') ? prototxt.slice(1) : `${folder}/${prototxt}`}`,
  }))
  .filter(({ model, prototxt, folder }) => folder && existsSync(model) && existsSync(prototxt));

describe.skipIf(!present)('inferred shapes against the weights of real models', () => {
  it.each(pairs)('$model', async ({ model: path, prototxt }) => {
    const { layers, errors } = inferShapes(parseNet(readFileSync(prototxt, 'utf8')), { phase: 'TEST' });
    expect(errors).toEqual([]);
    const model = await openModel(memorySource(path, readFileSync(path)));
    /** Leading ones are how the 4-D format of old writes vectors and matrices. */
    const core = (shape: readonly number[]) => shape.slice(shape.findIndex((size) => size !== 1)).join('x');
    let compared = 0;
    for (const { layer, params } of layers) {
      const stored = model.layers.find(({ name }) => name === layer.name)?.blobs ?? [];
      if (stored.length === 0) continue;
      expect(params.slice(0, stored.length).map(core), layer.name).toEqual(
        stored.map(({ shape }) => core(shape)),
      );
      compared++;
    }
    expect(compared).toBeGreaterThan(1);
  });
});
