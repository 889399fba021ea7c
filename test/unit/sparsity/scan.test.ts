import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addToHistogram, binEdge, createHistogram } from '../../../src/sparsity/histogram';
import { bitsOf, MagnitudeCounts } from '../../../src/sparsity/magnitudeCounts';
import {
  addMoments,
  borrowFloats,
  countMagnitudes,
  countRuns,
  countWithin,
  countZeros,
  encodeEntries,
  largestMagnitudeBits,
  returnFloats,
  zeroAtOrBelow,
} from '../../../src/sparsity/scan';
import { findPython, runPython } from '../../python';

/** Any floats, and often the peculiar ones; lengths around those that the vectors divide by. */
const floats = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: fc.float({ noNaN: true, min: -4, max: 4 }) },
      fc.float(),
      fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 1, -1, 1.401298464324817e-45),
    ),
    { maxLength: 70 },
  )
  .map((values) => Float32Array.from(values));
const finite = (values: Float32Array) => values.filter(Number.isFinite);
/** For a comparison of many counts at once. */
const bytesOf = (counts: Uint32Array) => Buffer.from(counts.buffer);
const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

describe('the passes say what plain loops say', () => {
  test('moments', () => {
    fc.assert(
      fc.property(floats, fc.float({ noNaN: true, min: -2, max: 2 }), (values, shift) => {
        const small = values.map((value) => (Math.abs(value) < 1e6 || !Number.isFinite(value) ? value : 1));
        const magnitudes = new MagnitudeCounts();
        const moments = addMoments(small, shift, magnitudes);
        const plain = finite(small);
        const powers = [1, 2, 3, 4].map((power) => sum([...plain].map((value) => (value - shift) ** power)));
        // Zeros of either sign are one value here.
        expect({ ...moments, min: moments.min + 0, max: moments.max + 0 }).toMatchObject({
          min: Math.min(...plain, Infinity) + 0,
          max: Math.max(...plain, -Infinity) + 0,
          zero: plain.filter((value) => value === 0).length,
          nan: small.filter(Number.isNaN).length,
          infinite: small.filter((value) => Math.abs(value) === Infinity).length,
        });
        const { l1, s1, s2, s3, s4 } = moments;
        const scale = sum([...plain].map((value) => 1 + (Math.abs(value) + 2) ** 4));
        expect(l1).toBeCloseTo(sum([...plain].map(Math.abs)), 6);
        [s1, s2, s3, s4].forEach((found, i) =>
          expect(Math.abs(found - powers[i])).toBeLessThanOrEqual(1e-12 * scale),
        );
        expect(sum(magnitudes.counts)).toBe(small.length);
      }),
    );
  });

  test('counts of magnitudes, by their upper and lower bits', () => {
    fc.assert(
      fc.property(floats, fc.nat(), (values, nat) => {
        const upper = [...bitsOf(values)].map((bits) => (bits >>> 16) & 0x7fff);
        const found = new MagnitudeCounts();
        const expected = new Uint32Array(1 << 15);
        for (const part of [values, values.subarray(nat % (values.length + 1))]) {
          countMagnitudes(part, found);
          for (const bits of bitsOf(part)) expected[(bits >>> 16) & 0x7fff]++;
          const { first, counts } = found.trim();
          const all = new Uint32Array(1 << 15);
          all.set(counts, first);
          expect(bytesOf(all).equals(bytesOf(expected))).toBe(true);
          // No empty bucket at either end.
          if (values.length > 0) expect([counts[0], counts.at(-1)]).not.toContain(0);
        }

        const bucket = upper.length > 0 ? upper[nat % upper.length] : 0;
        const within = new Uint32Array(1 << 16);
        countWithin(values, bucket, within);
        const lower = new Uint32Array(1 << 16);
        bitsOf(values).forEach((bits, i) => {
          if (upper[i] === bucket) lower[bits & 0xffff]++;
        });
        expect(bytesOf(within).equals(bytesOf(lower))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('bins, to the last value beside an edge', () => {
    const range = fc.tuple(
      fc.double({ noNaN: true, min: -10, max: 10 }),
      fc.double({ noNaN: true, min: 1e-9, max: 10 }),
      fc.constantFrom(0, 1e3, 1e6, 1e30),
    );
    fc.assert(
      fc.property(floats, range, fc.integer({ min: 1, max: 300 }), (values, [low, width, offset], bins) => {
        const histogram = createHistogram(offset + low, offset + low + width, bins);
        // Values on the edges and next to them are where rounding could put one into the wrong bin.
        const edges = Array.from({ length: bins + 1 }, (_, bin) => binEdge(histogram, bin));
        const all = Float32Array.from([...values, ...edges, ...edges.map((edge) => edge * (1 + 2 ** -23))]);
        const expected = new Uint32Array(bins);
        for (const value of all) {
          if (!(value >= histogram.min && value <= histogram.max)) continue;
          let bin = 0;
          while (bin < bins - 1 && value >= edges[bin + 1]) bin++;
          expected[bin]++;
        }
        addToHistogram(histogram, all);
        expect(histogram.counts).toEqual(expected);
      }),
    );
  });

  test('zeros', () => {
    const threshold = fc.oneof(fc.double({ min: -1, max: 5 }), fc.constantFrom(0, Infinity, NaN));
    fc.assert(
      fc.property(floats, threshold, fc.boolean(), (values, limit, separate) => {
        const scores = separate ? values.map((value) => 1 - value) : values;
        const expected = values.map((value, i) => (Math.abs(scores[i]) <= limit ? 0 : value));
        const count = scores.filter((score) => Math.abs(score) <= limit).length;
        const pruned = values.slice();
        expect(zeroAtOrBelow(pruned, limit, separate ? scores : pruned)).toBe(count);
        expect(bitsOf(pruned)).toEqual(bitsOf(expected));
        expect(countZeros(values)).toBe(values.filter((value) => value === 0).length);
      }),
    );
  });

  test('runs of zeros, over the borders of blocks too', () => {
    const before = fc.constantFrom(0, 3, 17, 65_530, 65_536, 131_080);
    fc.assert(
      fc.property(before, floats, (zeros, values) => {
        const all = new Float32Array(zeros + values.length);
        all.set(values, zeros);
        const fillers = { 4: 0, 5: 0, 8: 0, 16: 0 };
        let open = 0;
        for (const bits of bitsOf(all)) {
          if (bits === 0) open++;
          else {
            for (const width of [4, 5, 8, 16] as const) fillers[width] += Math.floor(open / 2 ** width);
            open = 0;
          }
        }
        expect(countRuns(all)).toEqual({
          nonZero: values.filter((value) => value !== 0).length,
          stored: bitsOf(values).filter((bits) => bits !== 0).length,
          fillers,
        });
      }),
      { numRuns: 60 },
    );
  });

  test('the largest magnitude', () => {
    fc.assert(
      fc.property(floats, (values) => {
        const magnitudes = [...bitsOf(values)].map((bits) => bits & 0x7fffffff);
        expect(largestMagnitudeBits(values)).toBe(Math.max(0, ...magnitudes));
      }),
    );
  });

  test('over more values than one block holds', () => {
    const values = Float32Array.from({ length: 150_001 }, (_, i) => (i % 2 ? -i : i));
    const histogram = createHistogram(0, 300_000, 3);
    addToHistogram(histogram, values);
    expect([...histogram.counts]).toEqual([50_000, 25_001, 0]);
    expect(zeroAtOrBelow(values, 99_999.5, values)).toBe(100_000);
    expect(countZeros(values)).toBe(100_000);
    expect(values.at(-1)).toBe(150_000);
    expect(addMoments(values, 0, new MagnitudeCounts())).toMatchObject({ max: 150_000, zero: 100_000 });
  });
});

test('say the same of values that lie in the memory of the kernels, and prune them there', () => {
  const memory = borrowFloats(140_000);
  fc.assert(
    fc.property(fc.nat(7), fc.constantFrom(0, 3, 65_536, 131_000), floats, (start, zeros, values) => {
      const elsewhere = new Float32Array(zeros + values.length);
      elsewhere.set(values, zeros);
      const there = memory.subarray(start, start + elsewhere.length);
      there.set(elsewhere);
      const all = (of: Float32Array) => {
        const magnitudes = new MagnitudeCounts();
        const histogram = createHistogram(-4, 4, 50);
        addToHistogram(histogram, of);
        const within = new Uint32Array(1 << 16);
        countWithin(of, 0x3f80, within);
        return {
          moments: addMoments(of, 0.5, magnitudes),
          magnitudes: magnitudes.trim(),
          histogram,
          within: within.reduce((sum, count) => sum + count),
          zeros: countZeros(of),
          largest: largestMagnitudeBits(of),
          runs: countRuns(of),
          entries: [...encodeEntries(of, 4)],
        };
      };
      expect(all(there)).toEqual(all(elsewhere));
      memory.fill(7, start + there.length);
      const scores = there.map((value) => 1 - value);
      expect(zeroAtOrBelow(there, 0.25, scores)).toBe(zeroAtOrBelow(elsewhere, 0.25, scores));
      expect(zeroAtOrBelow(there, 1.5, there)).toBe(zeroAtOrBelow(elsewhere, 1.5, elsewhere));
      expect(bitsOf(there.slice())).toEqual(bitsOf(elsewhere));
      expect(memory[start + there.length]).toBe(7);
    }),
    { numRuns: 30 },
  );
});

test('floats that were returned are lent again, and larger ones in their place', () => {
  const small = borrowFloats(10);
  const other = borrowFloats(10);
  expect(other.buffer).not.toBe(small.buffer);
  returnFloats(small);
  expect(borrowFloats(20).buffer).toBe(small.buffer);

  const large = borrowFloats(2_000_000).fill(1);
  returnFloats(large);
  const larger = borrowFloats(3_000_000);
  expect(large.length).toBe(0);
  larger.fill(0, 1_000_000);
  expect(countZeros(larger)).toBe(2_000_000);
  expect(borrowFloats(2_000_000).buffer).not.toBe(larger.buffer);
});

const python = findPython('numpy');
test.skipIf(!python)('counts bins exactly as numpy.histogram does', () => {
  // Few distinct values, so that many lie on the edges that numpy makes of them.
  const values = Float32Array.from({ length: 50_000 }, (_, i) =>
    Math.fround(((i * 7919) % 3001) / 3000 - 0.3),
  );
  for (const bins of [7, 100, 256, 3000]) {
    const histogram = createHistogram(Math.min(...values), Math.max(...values), bins);
    addToHistogram(histogram, values);
    const counts = runPython(
      python!,
      `
import sys, json, numpy as np
i = np.arange(50000)
w = (i * 7919 % 3001 / 3000 - 0.3).astype(np.float32)
print(json.dumps(np.histogram(w, int(sys.argv[1]))[0].tolist()))
`,
      `${bins}`,
    );
    expect([...histogram.counts]).toEqual(JSON.parse(counts));
  }
});
