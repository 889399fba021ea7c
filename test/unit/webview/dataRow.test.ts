import { expect, test } from 'vitest';
import { dataRow } from '../../../webview/model/dataRow';

const deploy = { netHasData: false };

test.each([false, true])('a deploy net names no data to run on (to train: %s)', (trains) => {
  expect(dataRow(deploy, undefined, trains, undefined)).toEqual({
    value: undefined,
    lacking: 'none chosen: a deploy net names no data',
  });
  expect(dataRow(deploy, 'mnist_lmdb', trains, undefined).value).toBe('mnist_lmdb');
});

test('the net that is trained may be the one that the solver names', () => {
  const files = { ...deploy, solver: 'solver.prototxt' };
  expect(dataRow(files, undefined, true, { missing: [], items: 1200 }).value).toBe(
    'what the net names (1,200 items)',
  );
  expect(dataRow(files, undefined, false, undefined).value).toBeUndefined();
});

test('data that the net names and that are elsewhere are to be chosen', () => {
  const { value, lacking } = dataRow({ netHasData: true }, undefined, true, { missing: ['a', 'b'] });
  expect([value, lacking]).toEqual([undefined, '“a”, “b” cannot be found: choose it']);
});
