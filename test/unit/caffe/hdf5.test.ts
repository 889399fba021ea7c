import * as h5wasm from 'h5wasm';
import { beforeAll, describe, expect, it } from 'vitest';
import { memorySource } from '../../../src/caffe/byteSource';
import { CaffeError } from '../../../src/caffe/errors';
import { Hdf5File, isHdf5 } from '../../../src/caffe/hdf5';
import { openModel } from '../../../src/caffe/model';
import { readBlob } from '../../../src/caffe/readBlob';
import { textOf } from '../../../src/phrase';

type Fill = (file: h5wasm.File) => void;

/** A file written by the HDF5 library itself. */
function writeHdf5(fill: Fill, libver: 'earliest' | 'latest' = 'earliest'): Uint8Array {
  const name = 'test.h5';
  const file = new h5wasm.File(name, 'w', { libver: [libver, 'latest'] });
  fill(file);
  file.close();
  const bytes = h5wasm.FS!.readFile(name) as Uint8Array;
  h5wasm.FS!.unlink(name);
  return bytes;
}

const ramp = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.fround(Math.sin(i + 1)));

function lenet(file: h5wasm.File): void {
  const data = file.create_group('data');
  data.create_group('relu1');
  const conv = data.create_group('conv1');
  conv.create_dataset({ name: '0', data: ramp(500), shape: [20, 1, 5, 5], dtype: '<f' });
  conv.create_dataset({ name: '1', data: ramp(20), shape: [20], dtype: '<f' });
  const many = data.create_group('many');
  for (let i = 0; i < 12; i++) many.create_dataset({ name: `${i}`, data: ramp(i), shape: [i], dtype: '<f' });
  for (let i = 0; i < 300; i++) data.create_group(`layer${i}`);
}

beforeAll(async () => {
  await h5wasm.ready;
});

describe.each(['earliest', 'latest'] as const)('a model written by the HDF5 library (%s)', (libver) => {
  it('tells layers, shapes and where the values are', async () => {
    const bytes = writeHdf5((file) => {
      const data = file.create_group('data');
      for (const name of ['conv1', 'ip1']) {
        const layer = data.create_group(name);
        layer.create_dataset({ name: '0', data: ramp(12), shape: [3, 4], dtype: '<f' });
        layer.create_dataset({ name: '1', data: ramp(3), shape: [3], dtype: '<d' });
      }
    }, libver);
    const source = memorySource('net.caffemodel.h5', bytes);
    const model = await openModel(source);
    expect(model).toMatchObject({ kind: 'HDF5', damage: [], size: bytes.length });
    expect(model.layers.map(({ name, blobs }) => [name, blobs.map(({ shape }) => shape)])).toEqual([
      ['conv1', [[3, 4], [3]]],
      ['ip1', [[3, 4], [3]]],
    ]);
    for (const { blobs } of model.layers) {
      expect(blobs[1].encoding).toBe('double');
      for (const blob of blobs) expect(await readBlob(source, blob)).toEqual(ramp(blob.count));
    }
  });
});

it('reads groups of many members, in the order of their names', async () => {
  const source = memorySource('net.caffemodel.h5', writeHdf5(lenet));
  const model = await openModel(source);
  expect(model.damage).toEqual([]);
  expect(model.layers).toHaveLength(303);
  expect(model.layers.map(({ name }) => name)).toEqual(model.layers.map(({ name }) => name).sort());
  const many = model.layers.find(({ name }) => name === 'many')!;
  expect(many.blobs.map(({ index, count }) => [index, count])).toEqual(
    Array.from({ length: 12 }, (_, i) => [i, i]),
  );
});

it('reads chunked and compressed data', async () => {
  const values = ramp(7 * 11 * 3);
  const bytes = writeHdf5((file) => {
    const layer = file.create_group('data').create_group('ip');
    layer.create_dataset({
      name: '0',
      data: values,
      shape: [7, 11, 3],
      dtype: '<f',
      chunks: [2, 4, 3],
      compression: 6,
    });
    layer.create_dataset({ name: '1', data: values, shape: [7, 11, 3], dtype: '<f', chunks: [7, 11, 2] });
  });
  const source = memorySource('net.caffemodel.h5', bytes);
  const model = await openModel(source);
  expect(model.damage).toEqual([]);
  expect(model.layers[0].blobs[0].chunked).toBeDefined();
  for (const blob of model.layers[0].blobs) expect(await readBlob(source, blob)).toEqual(values);
});

it('names the type of values that are none of Caffe', async () => {
  const bytes = writeHdf5((file) => {
    const layer = file.create_group('data').create_group('ip');
    layer.create_dataset({ name: '0', data: new Int8Array(4), shape: [4], dtype: '<b' });
    layer.create_dataset({ name: '1', data: ['a', 'b'] });
  });
  const model = await openModel(memorySource('net.caffemodel.h5', bytes));
  expect(model.damage.map(({ layer, message }) => [layer, textOf(message).slice(0, 8)])).toEqual([
    ['ip', 'blob 0: '],
    ['ip', 'blob 1: '],
  ]);
});

it('refuses an HDF5 file without a net', async () => {
  const bytes = writeHdf5((file) => void file.create_group('history'));
  await expect(openModel(memorySource('x.h5', bytes))).rejects.toThrow(/no group "data"/);
});

it('finds the signature behind a user block', async () => {
  const bytes = writeHdf5(lenet);
  const padded = new Uint8Array(bytes.length + 1024);
  padded.set(bytes, 1024);
  expect(await isHdf5(memorySource('x', padded))).toBe(true);
  expect(await isHdf5(memorySource('x', new Uint8Array(2048)))).toBe(false);
});

it.each(['earliest', 'latest'] as const)(
  'says how much of a file is there that was cut short (%s)',
  async (libver) => {
    const bytes = writeHdf5((file) => {
      file
        .create_group('data')
        .create_group('conv1')
        .create_dataset({ name: '0', data: ramp(9000) });
    }, libver);
    const told: string[] = [];
    for (let length = 100; length < bytes.length; length += 97) {
      await openModel(memorySource('cut', bytes.slice(0, length))).then(
        ({ damage }) => told.push(...damage.map(({ message }) => textOf(message))),
        (error: Error) => told.push(error.message),
      );
    }
    expect(told.join('\n')).toMatch(
      new RegExp(
        `address \\d+ lies outside the file, which is cut short: \\d+ of its ${bytes.length} bytes are there`,
      ),
    );
  },
);

it('survives truncation at every length and every flipped byte', async () => {
  const bytes = writeHdf5((file) => {
    const layer = file.create_group('data').create_group('ip');
    layer.create_dataset({ name: '0', data: ramp(6), shape: [2, 3], dtype: '<f' });
    layer.create_dataset({ name: '1', data: ramp(6), shape: [6], dtype: '<f', chunks: [3], compression: 4 });
  });
  const readAll = async (file: Uint8Array) => {
    const source = memorySource('x.h5', file);
    try {
      const model = await openModel(source);
      for (const { blobs } of model.layers) for (const blob of blobs) await readBlob(source, blob);
    } catch (error) {
      if (!(error instanceof CaffeError)) throw error;
    }
  };
  for (let length = 0; length < bytes.length; length += 7) await readAll(bytes.subarray(0, length));
  for (let at = 0; at < bytes.length; at++) {
    for (const mask of [0x01, 0xff]) {
      const damaged = bytes.slice();
      damaged[at] ^= mask;
      await readAll(damaged);
    }
  }
});

it('comes to an end in groups that hold themselves', async () => {
  const bytes = writeHdf5((file) => {
    const data = file.create_group('data');
    for (let i = 0; i < 200; i++) data.create_hard_link('data', `link${i}`);
  });
  const model = await openModel(memorySource('x.h5', bytes));
  expect(model.damage.length).toBeGreaterThan(0);
  expect(model.layers.length).toBeLessThanOrEqual(100_000);
});

it('gives any dataset by its path', async () => {
  const file = await Hdf5File.open(
    memorySource(
      'x.h5',
      writeHdf5((out) => void out.create_dataset({ name: 'data', data: ramp(4), shape: [2, 2] })),
    ),
  );
  const dataset = await file.child(await file.root(), 'data');
  if (dataset?.kind !== 'dataset') throw new Error('no dataset');
  expect(dataset.shape).toEqual([2, 2]);
  expect(new Float32Array((await file.readDataset(dataset)).slice().buffer)).toEqual(ramp(4));
});
