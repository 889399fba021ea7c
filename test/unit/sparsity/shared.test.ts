import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CaffeError } from '../../../src/caffe/errors';
import { packBits, unpackBits } from '../../../src/sparsity/bits';
import { roundToShared, shareValues, shareWeights } from '../../../src/sparsity/codebook';
import { codeLengths, huffmanBytes } from '../../../src/sparsity/huffman';
import { countEntries } from '../../../src/sparsity/relativeIndex';
import { encodeShared, huffmanCodedBytes, sharedBytes } from '../../../src/sparsity/sharedWeights';
import { findPython, runPython } from '../../python';

const weights = fc
  .array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -4, max: 4 }), { maxLength: 200 })
  .map((values) => Float32Array.from(values));

describe('packed bits', () => {
  test('come back in every width', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 16 }), fc.array(fc.nat(65535)), (width, numbers) => {
        const small = Uint16Array.from(numbers, (number) => number % 2 ** width);
        const packed = packBits(small, width);
        expect(packed.length).toBe(Math.ceil((numbers.length * width) / 8));
        expect([...unpackBits(packed, width, small.length)]).toEqual([...small]);
      }),
    );
  });

  test('begin in the lowest bits', () => {
    expect([...packBits(Uint8Array.of(1, 2, 3), 4)]).toEqual([0x21, 0x03]);
    expect([...packBits(Uint8Array.of(0b00001, 0b11111), 5)]).toEqual([0b111_00001, 0b11]);
  });

  test('that are missing are refused', () => {
    expect(() => unpackBits(new Uint8Array(2), 5, 4)).toThrow(CaffeError);
  });
});

describe('shared values', () => {
  test.each<[string, number[], number, number[]]>([
    ['two groups', [1, 2, 9, 10], 2, [1.5, 9.5]],
    ['zeros are no weights', [0, 0, -0, 5, 7], 1, [6]],
    ['fewer weights than values', [3, -1], 7, [-1, 3]],
    ['empty clusters vanish', [0.5, 0.75, 10], 3, [0.625, 10]],
    ['none', [0, 0], 3, []],
  ])('of %s', (_name, values, count, expected) => {
    expect([...shareValues(Float32Array.from(values), count)]).toEqual(expected);
  });

  test('are a fixed point of k-means: each weight has the nearest one, each is the mean of its weights', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 15 }), (values, count) => {
        const shared = shareValues(values, count);
        expect(shared.length).toBeLessThanOrEqual(count);
        const rounded = values.slice();
        roundToShared(rounded, shared);
        const sums = new Map<number, number[]>();
        values.forEach((value, i) => {
          if (value === 0) {
            expect(Object.is(rounded[i], 0)).toBe(true);
            return;
          }
          const nearest = Math.min(...Array.from(shared, (one) => Math.abs(one - value)));
          expect(Math.abs(rounded[i] - value)).toBe(nearest);
          sums.set(rounded[i], [...(sums.get(rounded[i]) ?? []), value]);
        });
        for (const [one, members] of sums) {
          expect(one).toBeCloseTo(members.reduce((a, b) => a + b) / members.length, 4);
        }
      }),
    );
  });

  test('of many weights, whose sums are put together from parts', () => {
    const values = Float32Array.from({ length: 10_000 }, (_, i) => (i % 2 ? 1 : -1) * (1 + (i % 100) / 1000));
    const shared = shareValues(values, 2);
    expect(shared[0]).toBeCloseTo(-(1 + 0.049), 5);
    expect(shared[1]).toBeCloseTo(1 + 0.05, 5);
  });
});

describe('Huffman codes', () => {
  test.each<[string, number[], number[]]>([
    ['of the textbook', [45, 13, 12, 16, 9, 5], [1, 3, 3, 3, 4, 4]],
    ['of one symbol', [0, 7, 0], [0, 1, 0]],
    ['of nothing', [0, 0], [0, 0]],
    ['of equals', [1, 1, 1, 1], [2, 2, 2, 2]],
  ])('%s', (_name, counts, lengths) => {
    expect([...codeLengths(counts)]).toEqual(lengths);
  });

  test('are prefix codes, and as short as the entropy allows', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 2, maxLength: 40 }), (counts) => {
        const lengths = codeLengths(counts);
        const present = counts.filter((count) => count > 0);
        fc.pre(present.length > 1);
        const kraft = lengths.reduce((sum, length) => sum + (length > 0 ? 2 ** -length : 0), 0);
        expect(kraft).toBe(1);
        const total = present.reduce((a, b) => a + b);
        const entropy = present.reduce((sum, count) => sum - count * Math.log2(count / total), 0);
        const bits = counts.reduce((sum, count, i) => sum + count * lengths[i], 0);
        expect(bits).toBeGreaterThanOrEqual(entropy - 1e-6);
        expect(bits).toBeLessThan(entropy + total);
        expect(huffmanBytes(counts)).toBe(
          counts.findLastIndex((count) => count > 0) + 1 + Math.ceil(bits / 8),
        );
      }),
    );
  });

  test('survive the counts that make the longest codes', () => {
    const fibonacci = [1, 1];
    while (fibonacci.length < 45) fibonacci.push(fibonacci.at(-1)! + fibonacci.at(-2)!);
    expect(Math.max(...codeLengths(fibonacci))).toBe(44);
  });
});

test('shared weights are told by gaps and codes, the first code being the filler', () => {
  const values = new Float32Array(40);
  values.set([2, 2.5, 0, -1]);
  values[30] = 2.1;
  const codebook = shareWeights(values, 2);
  expect([...codebook.values]).toEqual([-1, Math.fround(2.2)]);
  const shared = encodeShared(values, codebook, 4, countEntries(values)[4]);
  expect([...shared.gaps]).toEqual([0, 0, 1, 15, 10]);
  expect([...shared.codes]).toEqual([2, 2, 1, 0, 2]);
  // Three floats, five codes of two bits, five gaps of four.
  expect(sharedBytes(shared)).toBe(12 + 2 + 3);
  // Codes 2, 2, 1, 0, 2 take 7 bits and 3 lengths; gaps 0, 0, 1, 15, 10 take 10 bits and 16 lengths.
  expect(huffmanCodedBytes(shared)).toBe(12 + (3 + 1) + (16 + 2));
});

const python = findPython('numpy', 'scipy.cluster.vq');
test.skipIf(!python)('k-means comes to what scipy comes to from the same start', () => {
  const values = Float32Array.from({ length: 3000 }, (_, i) =>
    Math.fround(Math.sin(i) * Math.cos(i * 0.7) ** 3),
  );
  const output = runPython(
    python!,
    `
import json, numpy as np
from scipy.cluster.vq import kmeans2
i = np.arange(3000)
w = (np.sin(i) * np.cos(i * 0.7) ** 3).astype(np.float32).astype(np.float64)
w = w[w != 0]
start = np.linspace(w.min(), w.max(), 15)
centroids, label = kmeans2(w.reshape(-1, 1), start.reshape(-1, 1), iter=1000, minit='matrix', missing='warn')
print(json.dumps(sorted(set(centroids[label].ravel().tolist()))))
`,
  );
  const found = shareValues(values, 15);
  const expected = JSON.parse(output) as number[];
  expect(found.length).toBe(expected.length);
  expected.forEach((value, i) => expect(found[i]).toBeCloseTo(value, 5));
});
