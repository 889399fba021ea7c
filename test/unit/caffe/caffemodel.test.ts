import { describe, expect, it } from 'vitest';
import { memorySource } from '../../../src/caffe/byteSource';
import { CaffeError } from '../../../src/caffe/errors';
import { openModel, type Model } from '../../../src/caffe/model';
import { blobChunks, readBlob } from '../../../src/caffe/readBlob';
import {
  bytes,
  concat,
  doubles,
  floats,
  halves,
  number,
  packedFloats,
  shape,
  tag,
  text,
  unpackedDoubles,
  unpackedFloats,
  varint,
} from './wire';
import { textOf } from '../../../src/phrase';

const values = [0.5, -1.25, 3, -0, 7, 8];
const open = (file: Uint8Array) => openModel(memorySource('net.caffemodel', file));
const v2Layer = (...fields: Uint8Array[]) => bytes(100, text(1, 'ip'), text(2, 'InnerProduct'), ...fields);
const v2Net = (blob: Uint8Array) => concat(text(1, 'net'), v2Layer(bytes(7, blob)));

/** The same values in every way they are written. */
const encodings: Record<
  string,
  { blob: Uint8Array; encoding?: string; segments?: number; shape?: number[] }
> = {
  'packed floats': { blob: concat(packedFloats(5, values), shape(2, 3)) },
  'shape before data': { blob: concat(shape(2, 3), packedFloats(5, values)) },
  'unpacked floats': { blob: concat(unpackedFloats(5, values), shape(2, 3)) },
  'several packed segments': {
    blob: concat(packedFloats(5, values.slice(0, 1)), packedFloats(5, values.slice(1)), shape(2, 3)),
    segments: 2,
  },
  'packed, then unpacked, with an unknown field between': {
    blob: concat(
      packedFloats(5, values.slice(0, 2)),
      text(77, 'of a fork'),
      unpackedFloats(5, values.slice(2)),
      shape(2, 3),
    ),
    segments: 2,
  },
  'an empty packed segment first': { blob: concat(bytes(5), packedFloats(5, values), shape(2, 3)) },
  doubles: { blob: concat(bytes(8, doubles(values)), shape(2, 3)), encoding: 'double' },
  'unpacked doubles': { blob: concat(unpackedDoubles(8, values), shape(2, 3)), encoding: 'double' },
  'doubles go before floats, as in Blob::FromProto': {
    blob: concat(packedFloats(5, [9, 9]), bytes(8, doubles(values)), shape(2, 3)),
    encoding: 'double',
  },
  'half raw_data': {
    blob: concat(
      shape(2, 3),
      number(10, 2),
      bytes(12, halves([0x3800, 0xbd00, 0x4200, 0x8000, 0x4700, 0x4800])),
    ),
    encoding: 'half',
  },
  'float raw_data': { blob: concat(shape(2, 3), number(10, 1), bytes(12, floats(values))) },
  'double raw_data, the default type': {
    blob: concat(shape(2, 3), bytes(12, doubles(values))),
    encoding: 'double',
  },
  'legacy dimensions': {
    blob: concat(number(1, 1), number(2, 1), number(3, 2), number(4, 3), packedFloats(5, values)),
    shape: [1, 1, 2, 3],
  },
  'unpacked shape': { blob: concat(packedFloats(5, values), bytes(7, number(1, 2), number(1, 3))) },
  'an unknown group beside': {
    blob: concat(
      tag(90, 3),
      number(1, 5),
      tag(91, 3),
      tag(91, 4),
      tag(90, 4),
      packedFloats(5, values),
      shape(2, 3),
    ),
  },
};

describe('values', () => {
  it.each(Object.entries(encodings))('%s', async (_, { blob, encoding = 'float', segments = 1, ...more }) => {
    const source = memorySource('net.caffemodel', v2Net(blob));
    const model = await openModel(source);
    expect(model.damage).toEqual([]);
    const [entry] = model.layers[0].blobs;
    expect(entry).toMatchObject({ index: 0, shape: more.shape ?? [2, 3], count: 6, encoding });
    expect(entry.problem).toBeUndefined();
    expect(entry.segments).toHaveLength(segments);
    expect([...(await readBlob(source, entry))]).toEqual(values);
    const chunked = new Float32Array(entry.count);
    for await (const { start, chunk } of blobChunks(source, entry)) chunked.set(chunk, start);
    expect([...chunked]).toEqual(values);
  });

  it('reads at every alignment', async () => {
    for (let pad = 0; pad < 8; pad++) {
      const source = memorySource(
        'net',
        concat(text(1, 'x'.repeat(pad)), v2Layer(bytes(7, packedFloats(5, values), shape(6)))),
      );
      const model = await openModel(source);
      expect([...(await readBlob(source, model.layers[0].blobs[0]))]).toEqual(values);
    }
  });

  it('reports gradients and empty blobs', async () => {
    const file = concat(
      v2Layer(
        bytes(7, packedFloats(5, values), packedFloats(6, [1, 2, 3, 4, 5, 6]), shape(6)),
        bytes(7),
        bytes(7, shape(0)),
        bytes(7, packedFloats(5, [4]), shape()),
      ),
    );
    const model = await open(file);
    expect(model.layers[0].blobs.map((blob) => [blob.shape, blob.count, blob.diffCount])).toEqual([
      [[6], 6, 6],
      [[0], 0, 0],
      [[0], 0, 0],
      [[], 1, 0],
    ]);
    expect(await readBlob(memorySource('net', file), model.layers[0].blobs[1])).toHaveLength(0);
  });
});

describe('layers', () => {
  it('reads V2', async () => {
    const layer = bytes(
      100,
      text(1, 'conv1'),
      text(2, 'Convolution'),
      text(3, 'data'),
      text(4, 'conv1'),
      bytes(8, number(1, 1)),
      number(10, 0),
      bytes(106, number(1, 20)),
    );
    const head = concat(text(1, 'LeNet'), text(3, 'data'));
    expect(await open(concat(head, layer))).toEqual({
      kind: 'V2',
      name: 'LeNet',
      size: head.length + layer.length,
      damage: [],
      layers: [
        {
          index: 0,
          name: 'conv1',
          type: 'Convolution',
          originalType: 'Convolution',
          phase: 'TEST',
          bottoms: ['data'],
          tops: ['conv1'],
          blobs: [],
          byteOffset: head.length,
          byteLength: layer.length,
        },
      ],
    } satisfies Model);
  });

  it('reads V1, its enumerated types and those of forks', async () => {
    const layer = (type: number, name: string) =>
      bytes(2, text(2, 'data'), text(3, name), text(4, name), number(5, type), bytes(32, number(1, 0)));
    const model = await open(
      concat(layer(14, 'ip'), layer(4, 'conv'), layer(21, 'loss'), layer(150, 'fork')),
    );
    expect(model.kind).toBe('V1');
    expect(model.layers.map(({ name, type, originalType }) => [name, type, originalType])).toEqual([
      ['ip', 'InnerProduct', 'INNER_PRODUCT'],
      ['conv', 'Convolution', 'CONVOLUTION'],
      ['loss', 'SoftmaxWithLoss', 'SOFTMAX_LOSS'],
      ['fork', '150', '150'],
    ]);
    expect(model.layers[0]).toMatchObject({ phase: 'TRAIN', bottoms: ['data'], tops: ['ip'] });
  });

  it('reads V0', async () => {
    const inner = bytes(
      1,
      text(1, 'ip1'),
      text(2, 'innerproduct'),
      number(3, 2),
      bytes(50, packedFloats(5, values), shape(2, 3)),
    );
    const file = bytes(2, inner, text(2, 'data'), text(3, 'ip1'));
    const model = await open(file);
    expect(model.kind).toBe('V0');
    expect(model.layers).toHaveLength(1);
    expect(model.layers[0]).toMatchObject({
      name: 'ip1',
      type: 'InnerProduct',
      originalType: 'innerproduct',
      bottoms: ['data'],
      tops: ['ip1'],
    });
    expect([...(await readBlob(memorySource('net', file), model.layers[0].blobs[0]))]).toEqual(values);
  });
});

it.each([
  ['without a name', text(2, 'InnerProduct')],
  ['with an empty name', concat(text(1, ''), text(2, 'InnerProduct'))],
])('reads layers %s', async (_, head) => {
  const { layers } = await open(bytes(100, head, bytes(7, packedFloats(5, values), shape(2, 3))));
  expect(layers).toMatchObject([{ name: '', type: 'InnerProduct', blobs: [{ shape: [2, 3] }] }]);
});

describe('files that lie', () => {
  const sound = v2Layer(bytes(7, packedFloats(5, values), shape(2, 3)));
  const refusals: Record<string, [Uint8Array, RegExp]> = {
    empty: [new Uint8Array(0), /the file is empty/],
    'a Git LFS pointer': [
      new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:00\n'),
      /Git LFS pointer.*git lfs pull/,
    ],
    'a prototxt': [
      new TextEncoder().encode('# LeNet\nname: "LeNet"\nlayer { name: "data" }\n'),
      /text of a net \(prototxt\)/,
    ],
    'a page of the site to download it from': [
      new TextEncoder().encode('\n<!DOCTYPE html>\n<html><head><title>lenet.caffemodel</title>'),
      /web page.*Download the file itself/,
    ],
    'a line of hashes, at once': [new TextEncoder().encode('#'.repeat(600)), /no Caffe model/],
    'a zip': [new Uint8Array([0x50, 0x4b, 3, 4, 0, 0, 0, 0]), /archive/],
    'only zeros': [new Uint8Array(1000), /0 is no field number/],
    'no layer': [text(1, 'net'), /holds no layer/],
    'a number without end': [new Uint8Array(64).fill(0xff), /longer than ten bytes/],
    'a mean image': [
      concat(number(1, 1), number(2, 3), number(3, 2), number(4, 1), packedFloats(5, values)),
      /no Caffe model/,
    ],
  };
  it.each(Object.entries(refusals))('refuses %s', async (_, [file, message]) => {
    const error = await open(file).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CaffeError);
    expect((error as CaffeError).describe()).toMatch(message);
    expect((error as CaffeError).file).toBe('net.caffemodel');
  });

  it('shows what is left of a truncated file', async () => {
    const file = concat(
      sound,
      bytes(100, text(1, 'ip2'), text(2, 'InnerProduct'), bytes(7, packedFloats(5, values), shape(6))),
    );
    const source = memorySource('net', file.subarray(0, file.length - 14));
    const model = await openModel(source);
    expect(model.layers.map(({ name }) => name)).toEqual(['ip', 'ip2']);
    expect(model.damage[0]).toMatchObject({ byteOffset: sound.length });
    expect(textOf(model.damage[0].message)).toMatch(/the file ends after \d+ of them/);
    expect(model.damage.some(({ layer }) => layer === 'ip2')).toBe(true);
    const [blob] = model.layers[1].blobs;
    expect(blob.problem).toBeDefined();
    expect([...(await readBlob(source, blob))]).toEqual(values.slice(0, blob.count));
    expect(blob.count).toBe(3);
  });

  const damaged: Record<string, [Uint8Array, RegExp]> = {
    'a shape that needs more values': [
      concat(packedFloats(5, values), shape(2, 4)),
      /blob 0: the shape 2x4 needs 8 values, but 6 are stored/,
    ],
    'a negative axis': [concat(packedFloats(5, values), shape(-1, 6)), /-1x6 has a negative axis/],
    'an axis of 2^40': [concat(packedFloats(5, values), shape(2 ** 40)), /needs 1099511627776 values/],
    'a shape without values': [shape(2, 3), /needs 6 values, but 0 are stored/],
    'values without a shape': [packedFloats(5, values), /6 values have no shape/],
    'half a float': [bytes(5, new Uint8Array(7)), /7 bytes of data are no whole number of values/],
    'data longer than the blob': [
      concat(tag(5, 2), varint(1000), floats(values)),
      /the data is 1000 bytes long, but what it lies in has only 24 left/,
    ],
    'data of 2^62 bytes': [concat(tag(5, 2), varint(1n << 62n)), /4611686018427388000 bytes long/],
    'too many axes': [
      bytes(7, bytes(1, ...Array.from({ length: 33 }, () => varint(1)))),
      /more than 32 axes/,
    ],
    'a raw_data_type of the future': [
      concat(shape(1), number(10, 9), bytes(12, floats([1]))),
      /raw_data_type 9/,
    ],
    'an impossible wire type': [new Uint8Array([0x0f]), /impossible wire type 7/],
    'a group that does not end': [tag(90, 3), /group of field 90 does not end/],
    'groups nested without end': [
      concat(...Array.from({ length: 5000 }, () => tag(90, 3))),
      /nested too deeply/,
    ],
  };
  it.each(Object.entries(damaged))('names layer and byte of %s, and goes on', async (_, [blob, message]) => {
    const file = concat(sound, bytes(100, text(1, 'bad'), text(2, 'X'), bytes(7, blob)), sound);
    const model = await open(file);
    expect(model.layers.map(({ name }) => name)).toEqual(['ip', 'bad', 'ip']);
    expect(model.damage.map(({ message: said }) => textOf(said)).join('\n')).toMatch(message);
    for (const damage of model.damage) {
      expect(damage.layer).toBe('bad');
      expect(damage.byteOffset).toBeGreaterThanOrEqual(sound.length);
      expect(damage.byteOffset).toBeLessThan(file.length - sound.length);
    }
    expect(model.layers[1].blobs[0].problem).toBeDefined();
    expect(model.layers[2].blobs[0].problem).toBeUndefined();
  });

  it('stops at a bounded number of layers', async () => {
    const layer = bytes(100, text(1, 'a'), text(2, 'ReLU'));
    const file = new Uint8Array(layer.length * 1_000_000);
    for (let at = 0; at < file.length; at += layer.length) file.set(layer, at);
    const model = await open(file);
    expect(model.layers).toHaveLength(100_000);
    expect(model.damage).toMatchObject([{ byteOffset: layer.length * 100_000 }]);
    expect(textOf(model.damage[0].message)).toMatch(/more than 100000 layers/);
  });

  it('stops at a bounded number of blobs', async () => {
    const blob = bytes(7);
    const blobs = new Uint8Array(blob.length * 1_200_000);
    for (let at = 0; at < blobs.length; at += blob.length) blobs.set(blob, at);
    const model = await open(v2Layer(blobs));
    expect(model.layers[0].blobs).toHaveLength(1_000_000);
    expect(textOf(model.damage[0].message)).toMatch(/more than 1000000/);
  });
});
