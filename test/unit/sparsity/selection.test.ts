import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/caffe/random';
import { weightGeometry } from '../../../src/sparsity/geometry';
import { isPrunable } from '../../../src/sparsity/recipe';
import { pruneBlob, type Rule } from '../../../src/sparsity/selection';

const prune = (values: number[], rule: Rule, type = 'InnerProduct', shape = [1, values.length], std = 1) => {
  const array = Float32Array.from(values);
  const pruned = pruneBlob(array, rule, {
    geometry: weightGeometry(type, shape),
    std,
    random: new Random(1),
  });
  return { values: Array.from(array), ...pruned };
};

describe('keep ratio', () => {
  test('is the rule of the sorted magnitudes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, min: -2, max: 2 }), { minLength: 1, maxLength: 200 }),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (values, keep) => {
          const floats = Array.from(Float32Array.from(values));
          const sorted = floats.map(Math.abs).sort((a, b) => b - a);
          const threshold = sorted[Math.trunc((floats.length - 1) * keep)];
          const kept = floats.map((value) => (Math.abs(value) > threshold ? value : 0));
          const result = prune(values, { method: 'keep', keep });
          if (kept.every((value) => value === 0) && sorted[0] > 0) {
            expect(result.floored).toBe(true);
            expect(result.values).toEqual(floats.map((value) => (Math.abs(value) === sorted[0] ? value : 0)));
          } else {
            expect(result.values).toEqual(kept);
            expect(result.threshold).toBe(threshold);
          }
        },
      ),
    );
  });

  test.each<[string, number[], number, number[]]>([
    ['1 leaves all as it is, -0 too', [1, -0, 2], 1, [1, -0, 2]],
    ['ties at the threshold go', [3, 2, 2, 2, 1], 0.5, [3, 0, 0, 0, 0]],
    ['NaN stays', [NaN, 1, 5], 0.5, [NaN, 0, 0]],
    ['-0 becomes +0', [4, -0, 1, 2], 0.7, [4, 0, 0, 2]],
    ['0 spares the largest', [1, -7, 2], 0, [0, -7, 0]],
  ])('%s', (_name, values, keep, expected) => {
    expect(prune(values, { method: 'keep', keep }).values).toEqual(expected);
  });
});

test.each<[string, Rule, number[], number[]]>([
  ['threshold', { method: 'threshold', threshold: 1.5 }, [1, -1.5, 2, -3], [0, 0, 2, -3]],
  ['std', { method: 'std', factor: 0.5 }, [1, -1.5, 2, -3], [0, -1.5, 2, -3]],
  ['2:4', { method: 'n:m', n: 2, m: 4 }, [1, -4, 3, 2, 5, 5, 5, 5], [0, -4, 3, 0, 5, 5, 0, 0]],
  [
    '2:4 with a smaller last group',
    { method: 'n:m', n: 2, m: 4 },
    [1, 2, 3, 4, 9, 7, 8],
    [0, 0, 3, 4, 9, 0, 8],
  ],
])('%s', (_name, rule, values, expected) => {
  expect(prune(values, rule, 'InnerProduct', [1, values.length], 2.5).values).toEqual(expected);
});

test('2:4 of a convolution goes along its input channels', () => {
  // Shape [1, 4, 1, 2]: the groups are {0, 2, 4, 6} and {1, 3, 5, 7}.
  const values = [1, 8, 2, 7, 3, 6, 4, 5];
  expect(prune(values, { method: 'n:m', n: 2, m: 4 }, 'Convolution', [1, 4, 1, 2]).values).toEqual([
    0, 8, 0, 7, 3, 0, 4, 0,
  ]);
});

test('filters with the smallest L1 norms go as a whole', () => {
  const result = prune([1, 1, 5, -5, 0, 3], { method: 'filters', keep: 0.5 }, 'Convolution', [3, 1, 1, 2]);
  expect(result.values).toEqual([0, 0, 5, -5, 0, 0]);
  expect(result).toMatchObject({ deadOutputs: 2, zeros: 4, threshold: 3 });
});

test('filters of a deconvolution are on its second axis', () => {
  const result = prune([1, 9, 1, 9], { method: 'filters', keep: 0.5 }, 'Deconvolution', [2, 2, 1, 1]);
  expect(result.values).toEqual([0, 9, 0, 9]);
});

test('random pruning lets a weight survive with probability |w| / threshold, the same ones for a seed', () => {
  const values = Array.from({ length: 20_000 }, (_, i) => (i < 10_000 ? 1 : i < 19_999 ? 4 : 5));
  const result = prune(values, { method: 'random', keep: 0.25 });
  expect(result.threshold).toBe(4);
  const survivors = result.values.slice(0, 10_000).filter((value) => value !== 0).length;
  expect(survivors).toBeGreaterThan(2300);
  expect(survivors).toBeLessThan(2700);
  expect(prune(values, { method: 'random', keep: 0.25 }).values).toEqual(result.values);
});

test('a saliency ranks in place of |w|', () => {
  const values = Float32Array.of(9, 1, 5);
  const saliency = Float32Array.of(1, 3, 2);
  pruneBlob(
    values,
    { method: 'keep', keep: 0.5 },
    {
      geometry: weightGeometry('InnerProduct', [1, 3]),
      std: 1,
      random: new Random(1),
      saliency,
    },
  );
  expect(Array.from(values)).toEqual([0, 1, 0]);
});

test.each([
  ['Convolution', [20, 5, 3, 3], { outputs: 20, outputStride: 45, inputs: 5, inputStride: 9, spatial: 9 }],
  ['Deconvolution', [20, 5, 3, 3], { outputs: 5, outputStride: 9, inputs: 20, inputStride: 45, spatial: 9 }],
  ['', [20, 5, 3, 3], { outputs: 20, outputStride: 45, inputs: 5, inputStride: 9, spatial: 9 }],
  ['', [10, 500], { outputs: 10, outputStride: 500, inputs: 500, inputStride: 1, spatial: 1 }],
  ['', [1, 1, 10, 500], { outputs: 10, outputStride: 500, inputs: 500, inputStride: 1, spatial: 1 }],
  ['InnerProduct', [10, 500], { outputs: 10, outputStride: 500, inputs: 500, inputStride: 1, spatial: 1 }],
  [
    'InnerProduct',
    [1, 1, 10, 500],
    { outputs: 10, outputStride: 500, inputs: 500, inputStride: 1, spatial: 1 },
  ],
])('geometry of %s %j', (type, shape, expected) => {
  expect(weightGeometry(type, shape)).toEqual(expected);
});

test.each([
  ['', [20, 5, 3, 3], 0, true],
  ['', [64], 0, false],
  ['', [64], 1, false],
  ['Convolution', [20, 5, 3, 3], 0, true],
  ['BatchNorm', [64], 0, false],
])('whether pruning takes of a %s the blob %j at %i: %s', (type, shape, index, expected) => {
  expect(isPrunable({ type }, { index, shape, count: 64 })).toBe(expected);
});
