import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as h5wasm from 'h5wasm';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBinaryproto } from '../../src/caffe/binaryproto';
import { openFile } from '../../src/caffe/byteSource';
import { CaffeError } from '../../src/caffe/errors';
import { openModel, type Model } from '../../src/caffe/model';
import { readBlob } from '../../src/caffe/readBlob';
import { readSolverState } from '../../src/caffe/solverState';
import { writePatched } from '../../src/caffe/writePatched';
import { findPython, runPython } from '../python';
import { textOf } from '../../src/phrase';

const shared = fileURLToPath(new URL('../../../shared/', import.meta.url));
const models = join(shared, 'models');
const present = existsSync(models);

/** The models below a folder, by what their names say. */
function find(folder: string, pattern: RegExp): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => pattern.test(name) && !name.startsWith('negative'))
    .sort()
    .map((name) => join(folder, name));
}

/** As much of caffe.proto as a full decode of the weights needs; all else is unknown fields. */
const schema = protobuf.parse(`
  syntax = "proto2";
  message BlobShape { repeated int64 dim = 1 [packed = true]; }
  message BlobProto {
    optional int32 num = 1; optional int32 channels = 2; optional int32 height = 3; optional int32 width = 4;
    repeated float data = 5 [packed = true]; repeated float diff = 6 [packed = true];
    optional BlobShape shape = 7; repeated double double_data = 8 [packed = true];
    optional int32 raw_data_type = 10; optional bytes raw_data = 12;
  }
  message V0Layer { optional string name = 1; optional string type = 2; repeated BlobProto blobs = 50; }
  message V1Layer {
    optional V0Layer layer = 1; repeated string bottom = 2; repeated string top = 3;
    optional string name = 4; optional int32 type = 5; repeated BlobProto blobs = 6;
  }
  message Layer {
    optional string name = 1; optional string type = 2; repeated string bottom = 3; repeated string top = 4;
    repeated BlobProto blobs = 7; optional int32 phase = 10;
  }
  message Net { optional string name = 1; repeated V1Layer layers = 2; repeated Layer layer = 100; }
  message SolverState {
    optional int32 iter = 1; optional string learned_net = 2; repeated BlobProto history = 3;
    optional int32 current_step = 4;
  }
`).root;

interface BlobProto {
  num?: number;
  shape?: { dim: (number | { toNumber(): number })[] };
  data: number[];
  diff: number[];
  doubleData: number[];
  rawData?: Uint8Array;
}
interface Layer {
  name?: string;
  type?: string | number;
  bottom: string[];
  top: string[];
  blobs: BlobProto[];
  layer?: Layer;
}
interface Net {
  name?: string;
  layer: Layer[];
  layers: Layer[];
}

const decode = (type: string, bytes: Uint8Array): unknown => schema.lookupType(type).decode(bytes);

/** Sum and absolute sum of all weights, for a comparison that does not depend on how they are stored. */
async function allWeights(path: string): Promise<{ model: Model; weights: Float32Array[] }> {
  const source = await openFile(path);
  try {
    const model = await openModel(source);
    const weights: Float32Array[] = [];
    for (const { blobs } of model.layers)
      for (const blob of blobs) weights.push(await readBlob(source, blob));
    return { model, weights };
  } finally {
    await source.close();
  }
}

const protobufModels = [
  ...find(models, /(\.caffemodel|lenet_iter_10000)$/),
  ...find(join(shared, 'golden'), /\.caffemodel$/),
].filter((path) => !/truncated/.test(path));

describe.skipIf(!present)('real models', () => {
  it.each(protobufModels)('%s is read as a full decode reads it', async (path) => {
    const { model, weights } = await allWeights(path);
    expect(model.damage).toEqual([]);
    const net = decode('Net', await readFile(path)) as Net;
    const layers = (net.layer.length > 0 ? net.layer : net.layers).map((layer) =>
      layer.layer?.name ? { ...layer, ...layer.layer, bottom: layer.bottom, top: layer.top } : layer,
    );
    expect(model.name).toBe(net.name ?? '');
    expect(model.layers.map(({ name, bottoms, tops }) => [name, bottoms, tops])).toEqual(
      layers.map(({ name, bottom, top }) => [name ?? '', bottom, top]),
    );
    const blobs = layers.flatMap((layer) => layer.blobs);
    const indexed = model.layers.flatMap((layer) => layer.blobs);
    expect(indexed).toHaveLength(blobs.length);
    for (const [i, blob] of blobs.entries()) {
      const dims = blob.shape?.dim.map(Number);
      if (dims) expect(indexed[i].shape).toEqual(dims);
      expect(indexed[i].diffCount).toBe(blob.diff.length);
      if (blob.rawData) continue;
      const expected = Float32Array.from(blob.doubleData.length > 0 ? blob.doubleData : blob.data);
      expect(Buffer.from(weights[i].buffer, weights[i].byteOffset, weights[i].byteLength)).toEqual(
        Buffer.from(expected.buffer),
      );
    }
  });

  it('finds the models it is meant to read', () => {
    expect(protobufModels.length).toBeGreaterThan(60);
  });
});

describe.skipIf(!present)('one net in every encoding', () => {
  const folder = join(models, 'derived-encodings-small');
  const original = join(models, 'deep-landmark', '2_LE1.caffemodel');

  it.each(find(folder, /\.caffemodel$/).filter((path) => !/truncated/.test(path)))(
    '%s holds the same weights',
    async (path) => {
      const expected = await allWeights(original);
      const { model, weights } = await allWeights(path);
      const named = ({ layers }: Model) =>
        layers.filter(({ blobs }) => blobs.length > 0).map(({ name }) => name);
      expect(named(model)).toEqual(named(expected.model));
      expect(weights.map((values) => values.length)).toEqual(expected.weights.map((values) => values.length));
      for (const [i, values] of weights.entries()) {
        for (const [j, value] of values.entries()) {
          const exact = expected.weights[i][j];
          // Half precision keeps eleven bits, and multiples of 2^-24 at the least.
          const tolerance = /fp16/.test(path) ? Math.max(Math.abs(exact) / 2048, 2 ** -25) : 0;
          if (Math.abs(value - exact) > tolerance) expect(value).toBe(exact);
        }
      }
    },
  );

  it('tells the kinds apart', async () => {
    const kinds = await Promise.all(
      find(folder, /landmark_(V0|V1|with_diff)\.caffemodel$/).map(
        async (path) => (await allWeights(path)).model,
      ),
    );
    expect(kinds.map(({ kind }) => kind)).toEqual(['V0', 'V1', 'V2']);
    expect(kinds[0].layers.find(({ name }) => name === 'conv1')).toMatchObject({
      type: 'Convolution',
      originalType: 'conv',
    });
    expect(kinds[1].layers.find(({ name }) => name === 'conv1')).toMatchObject({
      type: 'Convolution',
      originalType: 'CONVOLUTION',
    });
    expect(kinds[2].layers.flatMap(({ blobs }) => blobs).every((blob) => blob.diffCount === blob.count)).toBe(
      true,
    );
  });

  it('shows what the truncated one still holds', async () => {
    const { model, weights } = await allWeights(join(folder, 'landmark_truncated.caffemodel'));
    const whole = await allWeights(original);
    expect(textOf(model.damage[0].message)).toMatch(/the file ends/);
    expect(model.damage.some(({ layer, byteOffset }) => layer === 'fc1' && byteOffset > 0)).toBe(true);
    for (const [i, values] of weights.entries()) {
      expect(values).toEqual(whole.weights[i].subarray(0, values.length));
    }
    expect(weights.length).toBeGreaterThan(3);
  });
});

describe.skipIf(!present)('HDF5', () => {
  beforeAll(async () => {
    await h5wasm.ready;
  });

  const open = async (path: string) => {
    h5wasm.FS!.writeFile('model.h5', await readFile(path));
    return new h5wasm.File('model.h5', 'r');
  };

  it.each(find(models, /\.caffemodel\.h5$/))('%s is read as the HDF5 library reads it', async (path) => {
    const { model, weights } = await allWeights(path);
    expect(model).toMatchObject({ kind: 'HDF5', damage: [] });
    const file = await open(path);
    const data = file.get('data') as h5wasm.Group;
    expect(model.layers.map(({ name }) => name)).toEqual(data.keys());
    let i = 0;
    for (const layer of model.layers) {
      const group = data.get(layer.name) as h5wasm.Group;
      expect(layer.blobs.map(({ index }) => `${index}`)).toEqual(group.keys());
      for (const blob of layer.blobs) {
        const dataset = group.get(`${blob.index}`) as h5wasm.Dataset;
        expect(blob.shape).toEqual(dataset.shape);
        expect(weights[i++]).toEqual(dataset.value);
        // In place is where it can be patched.
        expect(blob.segments).toHaveLength(blob.count > 0 ? 1 : 0);
      }
    }
    expect(i).toBeGreaterThan(0);
    file.close();
  });

  it('is patched in place, and the HDF5 library reads the result', async () => {
    const [path] = find(models, /cifar10_quick_iter_5000\.caffemodel\.h5$/);
    const folder = await mkdtemp(join(tmpdir(), 'caffe-'));
    const source = await openFile(path);
    const model = await openModel(source);
    const { blobs } = model.layers.find(({ name }) => name === 'conv2')!;
    const target = join(folder, 'pruned.caffemodel.h5');
    await writePatched(source, target, [{ blob: blobs[0], values: new Float32Array(blobs[0].count) }]);
    const file = await open(target);
    const value = (file.get('data/conv2/0') as h5wasm.Dataset).value as Float32Array;
    expect(value.length).toBe(blobs[0].count);
    expect(value.every((weight) => weight === 0)).toBe(true);
    expect((file.get('data/conv2/1') as h5wasm.Dataset).value).toEqual(await readBlob(source, blobs[1]));
    file.close();
    await source.close();
    await rm(folder, { recursive: true });
  });
});

describe.skipIf(!present)('solver states and means', () => {
  it.each(find(models, /\.solverstate$/))('%s', async (path) => {
    const source = await openFile(path);
    const state = await readSolverState(source);
    await source.close();
    const expected = decode('SolverState', await readFile(path)) as {
      iter: number;
      learnedNet: string;
      history: BlobProto[];
    };
    expect(state).toMatchObject({ iter: expected.iter, learnedNet: expected.learnedNet });
    expect(state.history.map(({ data }) => data)).toEqual(
      expected.history.map(({ data }) => Float32Array.from(data)),
    );
  });

  it.each(find(models, /\.solverstate\.h5$/))('%s', async (path) => {
    const source = await openFile(path);
    const state = await readSolverState(source);
    await source.close();
    expect(state.iter).toBe(Number(/iter_(\d+)/.exec(path)![1]));
    expect(state.learnedNet).toMatch(/\.caffemodel\.h5$/);
    expect(state.history.length).toBeGreaterThan(5);
  });

  it.each(find(models, /\.binaryproto$/))('%s', async (path) => {
    const source = await openFile(path);
    const { shape, data } = await readBinaryproto(source);
    await source.close();
    const expected = decode('BlobProto', await readFile(path)) as BlobProto;
    expect(shape).toHaveLength(4);
    expect(data).toEqual(Float32Array.from(expected.data));
  });
});

describe.skipIf(!present)('files that are no models', () => {
  const cases: [string, RegExp][] = [
    ['empty.caffemodel', /the file is empty/],
    ['lfs-pointer.caffemodel', /Git LFS pointer/],
  ];
  it.each(cases)('%s is refused', async (name, message) => {
    await expect(allWeights(join(models, 'negative', name))).rejects.toThrow(message);
  });

  it.each(
    find(
      models,
      /(\.npz|\.prototxt|data\.mdb|\.binaryproto|\.solverstate|solver_data\.h5|\.npy|\.tsv)$/,
    ).slice(0, 80),
  )('%s is refused', async (path) => {
    const error = await allWeights(path).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CaffeError);
    expect((error as CaffeError).file).toBe(path);
  });
});

describe.skipIf(!present)('a patched model', () => {
  const python = findPython('cv2', 'numpy');
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'caffe-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.skipIf(!python)('is what OpenCV computes with', async () => {
    const source = await openFile(join(models, 'lenet5-z0', 'lenet_iter_10000.caffemodel'));
    const model = await openModel(source);
    const target = join(folder, basename(source.name));
    // The weights of the last layer become zero: what comes out is the softmax of its biases.
    const [weight, bias] = model.layers.find(({ name }) => name === 'ip2')!.blobs;
    await writePatched(source, target, [{ blob: weight, values: new Float32Array(weight.count) }]);
    const biases = await readBlob(source, bias);
    await source.close();
    const output = runPython(
      python!,
      `import cv2, json, numpy, sys
net = cv2.dnn.readNetFromCaffe(sys.argv[1], sys.argv[2])
net.setInput(numpy.random.RandomState(1).rand(1, 1, 28, 28).astype(numpy.float32))
print(json.dumps(net.forward().ravel().tolist()))`,
      join(models, 'lenet5-z0', 'lenet.prototxt'),
      target,
    );
    const sum = biases.reduce((total, value) => total + Math.exp(value), 0);
    const probabilities = JSON.parse(output) as number[];
    expect(probabilities).toHaveLength(10);
    for (const [i, value] of probabilities.entries()) expect(value).toBeCloseTo(Math.exp(biases[i]) / sum, 5);
  });
});
