import { expect, test } from 'vitest';
import { Random } from '../../../src/caffe/random';
import { itemsFor, likelyShare, standardError } from '../../../src/sparsity/standardError';

test('the standard error is the spread of an accuracy over many draws of the items', () => {
  const random = new Random(4);
  const items = 200;
  const draws = Array.from({ length: 2000 }, () => {
    let right = 0;
    for (let i = 0; i < items; i++) right += Number(random.below(100) < 90);
    return right / items;
  });
  const mean = draws.reduce((sum, share) => sum + share, 0) / draws.length;
  const spread = Math.sqrt(draws.reduce((sum, share) => sum + (share - mean) ** 2, 0) / draws.length);
  expect(standardError(0.9, items)).toBeCloseTo(spread, 2);
});

test('all right on a few items is no certainty', () => {
  expect(standardError(likelyShare(1, 10), 10)).toBeGreaterThan(0.05);
  expect(standardError(likelyShare(1, 10_000), 10_000)).toBeLessThan(0.001);
  expect(likelyShare(0.75, 1000)).toBeCloseTo(0.75, 3);
});

test('on as many items as are named, the error is the one that was asked for', () => {
  expect(itemsFor(0.99, 0.001)).toBeCloseTo(9900, -1);
  expect(standardError(0.99, 9900)).toBeCloseTo(0.001, 6);
  expect(itemsFor(0.99, 0)).toBe(Infinity);
});
