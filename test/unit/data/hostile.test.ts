import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memorySource } from '../../../src/caffe/byteSource';
import { CaffeError } from '../../../src/caffe/errors';
import { decodeDatum } from '../../../src/data/datum';
import { idxItems } from '../../../src/data/idx';

/** Whatever happens is a result or an error for the user. */
async function bears(action: () => unknown): Promise<void> {
  try {
    await action();
  } catch (error) {
    expect(error).toBeInstanceOf(CaffeError);
  }
}

describe('decodeDatum', () => {
  it('takes the last of each field, in any order, and passes over unknown ones', () => {
    // label 1, an unknown field 9, width 2, height 1, channels 1, data 'ab', label 3
    const record = Uint8Array.of(0x28, 1, 0x4a, 1, 7, 0x18, 2, 0x10, 1, 0x08, 1, 0x22, 2, 97, 98, 0x28, 3);
    expect(decodeDatum(record, 'x')).toMatchObject({
      channels: 1,
      height: 1,
      width: 2,
      label: 3,
      encoded: false,
    });
    expect([...decodeDatum(record, 'x').data]).toEqual([97, 98]);
  });

  it('reads float_data packed and one by one', () => {
    const floats = [...new Uint8Array(Float32Array.of(0.5, -2).buffer)];
    const shape = [0x08, 1, 0x10, 1, 0x18, 2];
    const packed = Uint8Array.of(...shape, 0x32, 8, ...floats);
    const single = Uint8Array.of(...shape, 0x35, ...floats.slice(0, 4), 0x35, ...floats.slice(4));
    for (const record of [packed, single]) expect([...decodeDatum(record, 'x').floatData]).toEqual([0.5, -2]);
  });

  it.each<[string, number[], string]>([
    [
      'too few values for its shape',
      [0x08, 3, 0x10, 2, 0x18, 2, 0x22, 2, 1, 2],
      '2 values for an image of 3x2x2',
    ],
    ['no shape', [0x22, 1, 1], '1 values for an image of 0x0x0'],
    [
      'a negative size',
      [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0x22, 1, 1],
      'image of -1x',
    ],
    ['a length beyond its end', [0x22, 100, 1], 'no Datum'],
  ])('refuses a record with %s', (_, bytes, message) => {
    expect(() => decodeDatum(Uint8Array.from(bytes), 'record 5')).toThrow(message);
  });

  it('bears any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), (record) => bears(() => decodeDatum(record, 'x'))),
    );
  });
});

describe('idxItems', () => {
  const header = (...dims: number[]) => [
    0,
    0,
    8,
    dims.length,
    ...dims.flatMap((dim) => [0, 0, dim >> 8, dim & 255]),
  ];
  const open = (images: number[], labels: number[]) =>
    idxItems(
      memorySource('images', Uint8Array.from(images)),
      memorySource('labels', Uint8Array.from(labels)),
    );

  it.each<[string, number[], number[], string]>([
    ['fewer labels than images', [...header(2, 1, 1), 1, 2], [...header(1), 1], '1 labels for 2 images'],
    [
      'a file that ends early',
      [...header(2, 2, 2), 1],
      [...header(2), 1, 1],
      'ends too early for its size 2x2x2',
    ],
    [
      'labels in place of images',
      [...header(3), 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
      [...header(3), 1, 1, 1],
      '1 dimensions instead of 3',
    ],
    ['floats', [0, 0, 13, 3, ...header(1, 1, 1)], [...header(1), 1], 'no idx file of bytes'],
    ['a damaged gzip', [0x1f, 0x8b, 8, 0, 0], [...header(1), 1], 'compressed idx file is damaged'],
  ])('refuses %s', async (_, images, labels, message) => {
    await expect(open(images, labels)).rejects.toThrow(message);
  });

  it('bears any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(255), { maxLength: 30 }),
        fc.array(fc.nat(255), { maxLength: 8 }),
        (tail, labels) => bears(() => open([0, 0, 8, 3, ...tail], [0, 0, 8, 1, ...labels])),
      ),
    );
  });
});
