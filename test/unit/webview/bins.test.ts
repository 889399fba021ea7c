import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  countHeight,
  countTicks,
  guessBins,
  joinBins,
  shift,
  ticks,
  zoom,
} from '../../../webview/charts/bins';

const histogram = { min: -2, max: 2, counts: new Uint32Array([1, 2, 3, 4]) };

test('joined bins hold what their parts held', () => {
  expect([...joinBins(histogram, 2).counts]).toEqual([3, 7]);
  expect([...joinBins(histogram, 4).counts]).toEqual([1, 2, 3, 4]);
});

describe('a guess over another range', () => {
  test('is exact where bins line up', () => {
    expect([...guessBins(histogram, { min: -1, max: 1 }, 2).counts]).toEqual([2, 3]);
    expect([...guessBins(histogram, { min: -2, max: 2 }, 1).counts]).toEqual([10]);
  });

  test('spreads a bin evenly', () => {
    expect([...guessBins(histogram, { min: 1, max: 2 }, 2).counts]).toEqual([2, 2]);
  });

  test('is nothing beside the values', () => {
    expect([...guessBins(histogram, { min: 5, max: 6 }, 3).counts]).toEqual([0, 0, 0]);
  });
});

test('ticks are round and within', () => {
  expect(ticks({ min: -0.83, max: 0.66 }, 4)).toEqual([-0.5, 0, 0.5]);
  expect(ticks({ min: 1, max: 1 }, 4)).toEqual([]);
  expect(countTicks(3, false)).toEqual([0, 1, 2, 3]);
  expect(countTicks(1e6, true)).toEqual([1, 100, 10_000, 1_000_000]);
});

test('one value is seen on a logarithmic axis, none is not', () => {
  expect(countHeight(0, 100, true)).toBe(0);
  expect(countHeight(1, 100, true)).toBeGreaterThan(0);
  expect(countHeight(100, 100, true)).toBe(1);
});

test('zooming keeps the point under the pointer and stays within', () => {
  const limits = { min: -1, max: 1 };
  fc.assert(
    fc.property(
      fc.double({ min: -1, max: 1, noNaN: true }),
      fc.double({ min: 0.1, max: 0.9, noNaN: true }),
      (at, factor) => {
        const zoomed = zoom(limits, limits, at, factor)!;
        expect(zoomed.max - zoomed.min).toBeCloseTo(2 * factor);
        expect((at - zoomed.min) / (zoomed.max - zoomed.min)).toBeCloseTo((at + 1) / 2);
        expect(zoomed.min).toBeGreaterThanOrEqual(-1 - 1e-12);
        expect(zoomed.max).toBeLessThanOrEqual(1 + 1e-12);
      },
    ),
  );
  expect(zoom({ min: 0, max: 0.5 }, limits, 0.2, 10)).toBeUndefined();
  expect(shift({ min: -3, max: -2 }, limits)).toEqual({ min: -1, max: 0 });
});
