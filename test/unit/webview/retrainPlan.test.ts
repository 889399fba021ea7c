import { expect, test } from 'vitest';
import type { BlobFigures, BlobPlace, LayerRow } from '../../../src/protocol';
import { initialPlan, keyOf, plannedBlobs } from '../../../webview/model/plan';
import {
  initialRetrainPlan,
  isPruned,
  itemsJudgedOn,
  overallKeep,
  retrainedBlobs,
  tooFine,
  toRetrainRequest,
} from '../../../webview/model/retrainPlan';

const row = (index: number, name: string, count: number): LayerRow => ({
  index,
  name,
  type: 'InnerProduct',
  originalType: 'InnerProduct',
  byteOffset: 0,
  blobs: [{ index: 0, shape: [count, 1], count, encoding: 'data', byteOffset: 0, prunable: true }],
});
const layers = [row(0, 'ip1', 100), row(1, 'ip2', 300)];
const blobs = plannedBlobs(initialPlan, layers);
const figures =
  (...nonZero: number[]) =>
  ({ layer }: BlobPlace) =>
    nonZero[layer] === undefined
      ? undefined
      : ({ statistics: { count: layers[layer].blobs[0].count, nonZero: nonZero[layer] } } as BlobFigures);

test.each([
  [[100, 300], false],
  [[99, 299], false],
  [[50, 300], true],
  [[50], undefined],
])('a model with %j weights left is pruned: %j', (nonZero, expected) => {
  expect(isPruned(blobs, figures(...nonZero))).toBe(expected);
});

test('keep ratios are the user’s, else what pruning left, else what the pruning panel would leave', () => {
  const outcomes = new Map([
    [keyOf(blobs[0]), { zeros: 90, bytes: 0 }],
    [keyOf(blobs[1]), { zeros: 150, bytes: 0 }],
  ]);
  const keeps = (pruned: boolean, own = {}) =>
    retrainedBlobs({ ...initialRetrainPlan, own }, blobs, pruned, figures(40, 300), outcomes).map(
      ({ keep }) => keep,
    );
  expect(keeps(false)).toEqual([expect.closeTo(0.1), 0.5]);
  expect(keeps(true)).toEqual([0.4, 1]);
  expect(keeps(true, { [keyOf(blobs[1])]: 0.2 })).toEqual([0.4, 0.2]);
});

const retrained = () =>
  retrainedBlobs(
    { ...initialRetrainPlan, own: { [keyOf(blobs[0])]: 0.2 } },
    blobs,
    true,
    figures(100, 300),
    new Map(),
  );

test('what is asked for are the blobs that lose weights', () => {
  expect(overallKeep(retrained())).toBeCloseTo((0.2 * 100 + 300) / 400);
  expect(toRetrainRequest(initialRetrainPlan, 'iterative', retrained(), 'csr')).toEqual({
    choices: [{ layer: 'ip1', blob: 0, keep: 0.2 }],
    schedule: { kind: 'iterative', rounds: 10 },
    iterations: 2000,
    holdOut: 0.1,
    encoding: 'csr',
    resume: false,
  });
});

test('the search for the sparsest takes all that are chosen', () => {
  const { choices, schedule } = toRetrainRequest(initialRetrainPlan, 'auto', retrained(), 'relative');
  expect(choices.map(({ layer, keep }) => [layer, keep])).toEqual([
    ['ip1', 0],
    ['ip2', 0],
  ]);
  expect(schedule).toEqual({ kind: 'auto', tolerance: 0.001, perRound: 500 });
});

test('the weights are judged on the part held out, or on the test data', () => {
  const data = { train: { missing: [], items: 645 }, test: { missing: [], items: 200 } };
  const judgedOn = (holdOut: number, known = {}) =>
    itemsJudgedOn({ ...initialRetrainPlan, holdOut }, { ...data, ...known });
  expect(judgedOn(0.1)).toBe(65);
  expect(judgedOn(0)).toBe(200);
  expect(judgedOn(0.1, { train: { missing: ['a'] } })).toBeUndefined();
  expect(judgedOn(0, { test: undefined })).toBeUndefined();
  expect(itemsJudgedOn(initialRetrainPlan, undefined)).toBeUndefined();
});

test('a tolerance is too fine that chance exceeds', () => {
  const { error, enough } = tooFine(0.001, 6000)!;
  expect(error).toBeGreaterThan(0.001);
  expect(enough).toBeGreaterThan(6000);
  expect(tooFine(0.001, enough)).toBeUndefined();
  expect(tooFine(0.05, 100)).toBeUndefined();
  expect(tooFine(0, 100)).toMatchObject({ enough: Infinity });
  expect(tooFine(0.001, undefined)).toBeUndefined();
});
