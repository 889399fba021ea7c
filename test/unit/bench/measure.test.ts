import { expect, test, vi } from 'vitest';
import { compare, median } from '../../../bench/measure';

test.each([
  [[3], 3],
  [[4, 1], 2.5],
  [[9, 1, 5], 5],
])('the median of %j is %d', (values, expected) => {
  expect(median(values)).toBe(expected);
});

test('runs take turns, the first pair is not counted, and the ratio is baseline over ours', async () => {
  const print = vi.spyOn(console, 'log').mockReturnValue();
  const order: string[] = [];
  const timed = (name: string, times: number[]) => ({
    name,
    run: () => {
      order.push(name);
      return times.shift();
    },
  });
  const outcome = await compare({
    what: 'task',
    baseline: timed('a', [1000, 30, 20, 40]),
    ours: timed('b', [1000, 10, 12, 8]),
    repeats: 3,
  });
  expect(outcome).toEqual({ baseline: 30, ours: 10, ratio: 3, bestRatio: 2.5 });
  expect(order.join('')).toBe('abababab');
  expect(print).toHaveBeenCalledWith('| task | a: 30 ms, best 20 ms | b: 10 ms, best 8 ms | 3x, best 2.5x |');
  print.mockRestore();
});
