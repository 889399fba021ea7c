import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addToHistogram, binEdge, createHistogram } from '../../../src/sparsity/histogram';
import { approximateThreshold, countAtMost } from '../../../src/sparsity/magnitudeCounts';
import { magnitudeOfRank } from '../../../src/sparsity/rank';
import { quantileLevels, statisticsOf, StatisticsAccumulator } from '../../../src/sparsity/statistics';

const weights = fc
  .array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -8, max: 8 }), {
    minLength: 1,
    maxLength: 300,
  })
  .map((values) => Float32Array.from(values));

describe('rank', () => {
  test('is that of the magnitudes sorted in descending order', () => {
    fc.assert(
      fc.property(weights, fc.nat(), (values, nat) => {
        const rank = nat % values.length;
        const sorted = values.map(Math.abs).sort().reverse();
        expect(magnitudeOfRank(values, rank)).toBe(sorted[rank]);
      }),
    );
  });

  test.each([
    [[NaN, 1, -2], 0, NaN],
    [[-Infinity, 3], 0, Infinity],
    [[-0, 0], 1, 0],
    [[5, -5, 5], 2, 5],
  ])('of %j at %i is %d', (values, rank, expected) => {
    expect(magnitudeOfRank(Float32Array.from(values), rank)).toBe(expected);
  });

  test.each([-1, 2])('%i of two values is refused', (rank) => {
    expect(() => magnitudeOfRank(new Float32Array(2), rank)).toThrow(RangeError);
  });
});

describe('statistics', () => {
  test('of a few values', () => {
    expect(statisticsOf(Float32Array.of(1, -3, 0, -0, 2))).toMatchObject({
      count: 5,
      nonZero: 3,
      min: -3,
      max: 2,
      mean: expect.closeTo(0, 12) as number,
      l1: 6,
      l2: expect.closeTo(Math.sqrt(14), 12) as number,
      std: expect.closeTo(Math.sqrt(14 / 5), 12) as number,
      kurtosis: expect.closeTo(2.5, 12) as number,
    });
  });

  test('keep NaN and infinity apart', () => {
    expect(statisticsOf(Float32Array.of(NaN, Infinity, 4))).toMatchObject({
      nan: 1,
      infinite: 1,
      min: 4,
      max: 4,
      mean: 4,
      std: 0,
    });
    expect(statisticsOf(Float32Array.of(NaN))).toMatchObject({ count: 1, nan: 1, min: NaN, mean: NaN });
  });

  test('do not depend on the chunks', () => {
    fc.assert(
      fc.property(weights, fc.nat(), (values, nat) => {
        const cut = nat % values.length;
        const accumulator = new StatisticsAccumulator();
        accumulator.add(values.subarray(0, cut));
        accumulator.add(values.subarray(cut));
        const whole = statisticsOf(values);
        const parts = accumulator.result();
        expect(parts).toMatchObject({
          count: whole.count,
          nonZero: whole.nonZero,
          min: whole.min,
          quantiles: whole.quantiles,
        });
        expect(parts.std).toBeCloseTo(whole.std, 9);
        expect(parts.mean).toBeCloseTo(whole.mean, 9);
      }),
    );
  });

  test('have the quantiles of the sorted magnitudes, to half a bucket', () => {
    fc.assert(
      fc.property(weights, (values) => {
        const sorted = values.map(Math.abs).sort();
        const { quantiles } = statisticsOf(values);
        quantileLevels.forEach((level, i) => {
          const exact = sorted[Math.min(sorted.length - 1, Math.floor(level * sorted.length))];
          // What is below the smallest normal float shares a bucket with others or with zero.
          expect(Math.abs(quantiles[i] - exact)).toBeLessThanOrEqual(exact * 2 ** -8 + 2 ** -126);
        });
      }),
    );
  });

  test.each([[[0.25, 0.25]], [[-0.116641, -0.2]], [[0, 1]]])(
    'have no quantile beyond the values %j',
    (values) => {
      const sorted = Float32Array.from(values).map(Math.abs).sort();
      for (const quantile of statisticsOf(Float32Array.from(values)).quantiles) {
        expect(quantile).toBeGreaterThanOrEqual(sorted[0]);
        expect(quantile).toBeLessThanOrEqual(sorted.at(-1)!);
      }
    },
  );

  test('do not cancel far from zero', () => {
    const { mean, std } = statisticsOf(Float32Array.of(1e6, 1e6 + 1, 1e6 + 2));
    expect(mean).toBeCloseTo(1e6 + 1, 6);
    expect(std).toBeCloseTo(Math.sqrt(2 / 3), 9);
  });
});

describe('histogram', () => {
  test('puts every value into the bin whose edges hold it', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 50 }), (values, bins) => {
        const histogram = createHistogram(Math.min(...values), Math.max(...values), bins);
        addToHistogram(histogram, values);
        const expected = new Uint32Array(bins);
        for (const value of values) {
          let bin = 0;
          while (bin < bins - 1 && value >= binEdge(histogram, bin + 1)) bin++;
          expected[bin]++;
        }
        expect(histogram.counts).toEqual(expected);
      }),
    );
  });
});

describe('magnitude counts', () => {
  test('tell the zeros a threshold makes, to a bucket', () => {
    fc.assert(
      fc.property(weights, fc.double({ min: 0, max: 9, noNaN: true }), (values, threshold) => {
        const accumulator = new StatisticsAccumulator();
        accumulator.add(values);
        const counted = countAtMost(accumulator.magnitudes.trim(), threshold);
        const exact = (t: number) => values.filter((value) => Math.abs(value) <= t).length;
        expect(counted).toBeGreaterThanOrEqual(exact(threshold * (1 - 2 ** -7) - 1e-38));
        expect(counted).toBeLessThanOrEqual(exact(threshold * (1 + 2 ** -7) + 1e-38));
      }),
    );
  });

  test('give a threshold for a keep ratio', () => {
    const accumulator = new StatisticsAccumulator();
    accumulator.add(Float32Array.from({ length: 1000 }, (_, i) => (i + 1) / 1000));
    const counts = accumulator.magnitudes.trim();
    for (const keep of [0.9, 0.5, 0.1]) expect(approximateThreshold(counts, keep)).toBeCloseTo(1 - keep, 2);
    expect(approximateThreshold(counts, 0)).toBeGreaterThanOrEqual(1);
  });
});
