import { describe, expect, it } from 'vitest';
import type { Phase, TransformationParameter } from '../../../src/caffe/messages';
import { Random } from '../../../src/caffe/random';
import { Transformer, type Mean, type Pixels } from '../../../src/data/transform';

/** 2 channels of 3 x 4: channel 0 holds 0..11, channel 1 100..111. */
const image: Pixels = {
  channels: 2,
  height: 3,
  width: 4,
  data: Uint8Array.from({ length: 24 }, (_, i) => (i < 12 ? i : 88 + i)),
};
/** A generator that gives the numbers in turn. */
const drawing = (...numbers: number[]) => ({ below: (n: number) => numbers.shift()! % n }) as Random;

function apply(
  param: TransformationParameter,
  phase: Phase = 'TEST',
  mean?: Mean,
  random = drawing(),
): number[] {
  const transformer = new Transformer(param, phase, mean, random, 'data');
  const shape = transformer.shape(image);
  const target = new Float32Array(1 + shape.reduce((product, dim) => product * dim, 1));
  transformer.apply(image, target, 1, 'image 0');
  expect(target[0]).toBe(0);
  return [...target.subarray(1)];
}
const f = Math.fround;
const all = [...image.data];

describe('Transformer', () => {
  it('leaves the values as they are by default', () => {
    expect(apply({})).toEqual(all);
  });

  it('scales in single precision', () => {
    expect(apply({ scale: 0.1 })).toEqual(all.map((value) => f(value * f(0.1))));
  });

  it('subtracts one mean value from all channels, or one from each, before it scales', () => {
    expect(apply({ mean_value: [0.7], scale: 0.5 })).toEqual(all.map((value) => f(f(value - f(0.7)) * 0.5)));
    expect(apply({ mean_value: [1, 100] })).toEqual(all.map((value, i) => value - (i < 12 ? 1 : 100)));
  });

  it('crops the centre in TEST, rounding down, and takes the mean of the same place', () => {
    const mean = { ...image, data: Float32Array.from(all, (_, i) => i / 2) };
    // 3 x 4 to 2 x 2: row 0, column 1
    const kept = [1, 2, 5, 6, 13, 14, 17, 18];
    expect(apply({ crop_size: 2 })).toEqual(kept.map((i) => all[i]));
    expect(apply({ crop_size: 2, mean_file: 'mean' }, 'TEST', mean)).toEqual(kept.map((i) => all[i] - i / 2));
  });

  it('draws mirror, then row, then column in TRAIN', () => {
    // not mirrored, row 1 % 2, column 5 % 3
    expect(apply({ crop_size: 2, mirror: true }, 'TRAIN', undefined, drawing(2, 1, 5)).slice(0, 4)).toEqual([
      6, 7, 10, 11,
    ]);
    expect(apply({ crop_size: 2, mirror: true }, 'TRAIN', undefined, drawing(1, 1, 5)).slice(0, 4)).toEqual([
      7, 6, 11, 10,
    ]);
  });

  it('mirrors in TEST too', () => {
    expect(apply({ mirror: true }, 'TEST', undefined, drawing(1)).slice(0, 4)).toEqual([3, 2, 1, 0]);
  });

  it('takes values that are no bytes', () => {
    const floats = { ...image, data: Float32Array.from(all, (value) => value / 4 - 2) };
    const target = new Float32Array(24);
    new Transformer({ scale: 2 }, 'TEST', undefined, new Random(1), 'data').apply(floats, target, 0, 'x');
    expect([...target]).toEqual(all.map((value) => value / 2 - 4));
  });

  it.each<[string, TransformationParameter, Mean | undefined, string]>([
    [
      'a crop larger than the image',
      { crop_size: 4 },
      undefined,
      'crop_size 4 is larger than the image (2x3x4)',
    ],
    [
      'a mean image of another size',
      { mean_file: 'm' },
      { ...image, width: 5, data: new Float32Array(30) },
      'mean image is 2x3x5',
    ],
    [
      'three mean values for two channels',
      { mean_value: [1, 2, 3] },
      undefined,
      '3 mean values for 2 channels',
    ],
    ['a mean file and mean values', { mean_file: 'm', mean_value: [1] }, undefined, 'cannot both'],
    ['colour and gray at once', { force_color: true, force_gray: true }, undefined, 'cannot both'],
  ])('refuses %s', (_, param, mean, message) => {
    expect(() => apply(param, 'TEST', mean)).toThrow(message);
  });
});
