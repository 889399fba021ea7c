import { describe, expect, test } from 'vitest';
import type { BlobFigures, LayerRow } from '../../../src/protocol';
import { Random } from '../../../src/caffe/random';
import { weightGeometry } from '../../../src/sparsity/geometry';
import { createHistogram } from '../../../src/sparsity/histogram';
import { measure } from '../../../src/sparsity/sparseFile';
import { StatisticsAccumulator } from '../../../src/sparsity/statistics';
import { pruneBlob } from '../../../src/sparsity/selection';
import {
  estimate,
  initialPlan,
  keepAtThreshold,
  keyOf,
  plannedBlobs,
  type PlanAction,
  type PlanState,
  reducePlan,
  thresholdIn,
  toPlan,
} from '../../../webview/model/plan';

/** Weights as a trained layer has them: most near zero. */
const shape = [64, 32, 3, 3];
const random = new Random(5);
const values = Float32Array.from({ length: 64 * 32 * 9 }, () => 0.05 * random.normal());
const accumulator = new StatisticsAccumulator();
accumulator.add(values);
const figures: BlobFigures = {
  layer: 0,
  blob: 0,
  statistics: accumulator.result(),
  histogram: createHistogram(-1, 1, 512),
  magnitudes: accumulator.magnitudes.trim(),
};
const layers: LayerRow[] = [
  {
    index: 0,
    name: 'conv',
    type: 'Convolution',
    originalType: 'Convolution',
    byteOffset: 0,
    blobs: [
      { index: 0, shape, count: values.length, encoding: 'float', byteOffset: 0, prunable: true },
      { index: 1, shape: [64], count: 64, encoding: 'float', byteOffset: 0, prunable: false },
    ],
  },
];
const weight = { layer: 0, blob: 0 };
const bias = { layer: 0, blob: 1 };
const play = (...actions: PlanAction[]): PlanState => actions.reduce(reducePlan, initialPlan);

describe('estimates come near to what pruning does', () => {
  const cases: [string, PlanAction[]][] = [
    ['keep 10 %', [{ kind: 'plan.amount', amount: 0.1 }]],
    ['keep 0.1 %', [{ kind: 'plan.amount', amount: 0.001 }]],
    ['keep nothing: the largest is spared', [{ kind: 'plan.amount', amount: 0 }]],
    [
      'one sigma',
      [
        { kind: 'plan.method', method: 'std' },
        { kind: 'plan.amount', amount: 1 },
      ],
    ],
    [
      '|w| up to 0.03',
      [
        { kind: 'plan.method', method: 'threshold' },
        { kind: 'plan.amount', amount: 0.03 },
      ],
    ],
    [
      'random at 20 %',
      [
        { kind: 'plan.method', method: 'random' },
        { kind: 'plan.amount', amount: 0.2 },
      ],
    ],
    ['2:4', [{ kind: 'plan.method', method: 'n:m' }]],
    [
      '3:5, where the last group is smaller',
      [
        { kind: 'plan.method', method: 'n:m' },
        { kind: 'plan.groups', n: 3, m: 5 },
      ],
    ],
    [
      'half of the filters',
      [
        { kind: 'plan.method', method: 'filters' },
        { kind: 'plan.amount', amount: 0.5 },
      ],
    ],
  ];
  test.each(cases)('%s', (_what, actions) => {
    const plan = play(...actions);
    const blobs = plannedBlobs(plan, layers);
    const guess = estimate(plan, blobs, () => figures).get(keyOf(weight))!;
    const pruned = values.slice();
    const { rule } = blobs[0];
    if (rule.method === 'global') throw new Error('not here');
    const exact = pruneBlob(pruned, rule, {
      geometry: weightGeometry('Convolution', shape),
      std: figures.statistics.std,
      random: new Random(plan.seed),
    });
    const { bytes } = measure(pruned, shape);
    expect(Math.abs(guess.zeros - exact.zeros)).toBeLessThanOrEqual(values.length * 0.01);
    if (guess.threshold !== undefined) {
      expect(guess.threshold).toBeCloseTo(exact.threshold!, 2);
    }
    // Filters are zero side by side, so that gaps need fewer fillers than if spread.
    if (plan.method !== 'filters') expect(guess.bytes / Math.max(8, bytes.relative)).toBeCloseTo(1, 0);
  });

  test('global: one threshold for all chosen blobs', () => {
    const plan = play({ kind: 'plan.method', method: 'global' }, { kind: 'plan.amount', amount: 0.3 });
    const guess = estimate(plan, plannedBlobs(plan, layers), () => figures).get(keyOf(weight))!;
    expect(guess.zeros / values.length).toBeCloseTo(0.7, 2);
  });
});

test('a keep ratio of 1 leaves a blob as it is', () => {
  const plan = play({ kind: 'plan.amount', amount: 1 });
  expect(estimate(plan, plannedBlobs(plan, layers), () => figures).get(keyOf(weight))?.zeros).toBe(0);
});

test('the threshold and the keep ratio are each other’s reverse', () => {
  const plan = play({ kind: 'plan.amount', amount: 0.25 });
  const { threshold } = estimate(plan, plannedBlobs(plan, layers), () => figures).get(keyOf(weight))!;
  expect(keepAtThreshold([figures], threshold!)).toBeCloseTo(0.25, 2);
});

test.each(['keep', 'random', 'filters'] as const)('the histogram shows what %s prunes by', (method) => {
  const [blob] = plannedBlobs(play({ kind: 'plan.method', method }), layers);
  const outcome = { threshold: 0.7, zeros: 10, bytes: 10 };
  // The threshold of filters is one of norms.
  expect(thresholdIn(blob, outcome, false)).toBe(method === 'filters' ? undefined : 0.7);
  expect(thresholdIn(blob, outcome, true)).toBeUndefined();
});

describe('the plan', () => {
  test('leaves alone what is not prunable, unless it is chosen', () => {
    expect(toPlan(initialPlan, plannedBlobs(initialPlan, layers)).choices).toEqual([
      { layer: 'conv', blob: 0, method: 'keep', keep: 0.1 },
    ]);
    const plan = play(
      { kind: 'plan.choose', places: [bias], chosen: true },
      { kind: 'plan.choose', places: [weight], chosen: false },
    );
    expect(toPlan(plan, plannedBlobs(plan, layers)).choices).toEqual([
      { layer: 'conv', blob: 1, method: 'keep', keep: 0.1 },
    ]);
  });

  test('a blob’s own amount yields to the overall one and to another method', () => {
    const own: PlanAction = { kind: 'plan.own', place: weight, amount: 0.4 };
    const amount = (plan: PlanState) => toPlan(plan, plannedBlobs(plan, layers)).choices[0];
    expect(amount(play(own))).toMatchObject({ keep: 0.4 });
    expect(amount(play(own, { kind: 'plan.own', place: weight, amount: undefined }))).toMatchObject({
      keep: 0.1,
    });
    expect(amount(play(own, { kind: 'plan.amount', amount: 0.2 }))).toMatchObject({ keep: 0.2 });
    expect(amount(play(own, { kind: 'plan.method', method: 'std' }))).toMatchObject({
      method: 'std',
      factor: 1,
    });
  });

  test.each<[string, PlanAction[], boolean]>([
    ['a method that ranks', [], true],
    ['a method that judges each weight by itself', [{ kind: 'plan.method', method: 'std' }], false],
    ['blobs of which none is chosen', [{ kind: 'plan.choose', places: [weight], chosen: false }], true],
  ])('ranks by saliency under %s: %#', (_name, actions, by) => {
    const plan = play({ kind: 'plan.saliency', bySaliency: true }, ...actions);
    expect(toPlan(plan, plannedBlobs(plan, layers)).bySaliency).toBe(by);
  });

  test('never keeps more of a group than it has', () => {
    expect(play({ kind: 'plan.groups', n: 9, m: 4 })).toMatchObject({ n: 4, m: 4 });
  });
});
