import { expect, test } from 'vitest';
import { csvOf } from '../../src/csv';
import { sensitivityCsv } from '../../src/sparsity/sensitivity';
import { StatisticsAccumulator, statisticsColumns } from '../../src/sparsity/statistics';

test('cells are quoted where they must be, and numbers keep their precision', () => {
  const rows = [
    ['layer', 'keep', 'accuracy'],
    ['conv1', 0.1, undefined],
    ['a "b", c', 1 / 3, NaN],
    ['two\r\nlines', -0.5, 1e-7],
  ];
  expect(csvOf(rows)).toBe(
    'layer,keep,accuracy\nconv1,0.1,\n"a ""b"", c",0.3333333333333333,NaN\n"two\r\nlines",-0.5,1e-7\n',
  );
  expect(csvOf([])).toBe('');
});

test('the points of a sweep have a column each; what a net without classes lacks is empty', () => {
  const point = { layer: 'ip1', keep: 0.25, kept: 3, accuracy: undefined, loss: 0.5, items: 8, state: 'abc' };
  expect(sensitivityCsv([point])).toBe('layer,keep,kept,accuracy,loss,items,state\nip1,0.25,3,,0.5,8,abc\n');
});

test('the quantiles of a blob have a column each', () => {
  const statistics = new StatisticsAccumulator();
  statistics.add(new Float32Array([0, -2]));
  const columns = statisticsColumns(statistics.result());
  expect(columns).toMatchObject({ count: 2, nonZero: 1, min: -2, max: 0 });
  expect(columns['abs_q0.99']).toBeCloseTo(2, 1);
  expect(columns).not.toHaveProperty('quantiles');
});
