import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LayerRow } from '../../../src/protocol';
import type { PruneHint } from '../../../src/caffe/prototxt/hints';
import { initialPlan, plannedBlobs, type PlanState, reducePlan, toPlan } from '../../../webview/model/plan';
import { hintsOfPlan, planOfHints } from '../../../webview/model/planHints';
import { initialState, reduceModel } from '../../../webview/model/state';

const layer = (index: number, name: string, prunable: boolean[]): LayerRow => ({
  index,
  name,
  type: 'InnerProduct',
  originalType: 'InnerProduct',
  byteOffset: 0,
  blobs: prunable.map((each, blob) => ({
    index: blob,
    shape: [10, 10],
    count: 100,
    encoding: 'float',
    byteOffset: 0,
    prunable: each,
  })),
});
const layers = [
  layer(0, 'conv1', [true, false]),
  layer(1, 'relu1', []),
  layer(2, 'ip1', [true, false]),
  layer(3, 'ip2', [true, false]),
  layer(4, 'lstm', [true, false, true]),
];
const from = (hints: Record<string, PruneHint>, plan = initialPlan) =>
  planOfHints(plan, { file: 'net.prototxt', layers: hints }, layers);
const choices = (plan: PlanState) => toPlan(plan, plannedBlobs(plan, layers)).choices;

describe('the plan that hints describe', () => {
  test('has their rules for the layers that they speak of, and takes no other', () => {
    const plan = from({ conv1: { skip: true }, ip1: { keep: 0.08, index: 5, bits: 4 }, ip2: { std: 1.5 } });
    expect(choices(plan)).toEqual([
      { layer: 'ip1', blob: 0, method: 'keep', keep: 0.08, index: 5, bits: 4 },
      { layer: 'ip2', blob: 0, method: 'std', factor: 1.5 },
    ]);
    expect(plan.decided).toBe(false);
  });

  test('has the rule of most blobs for all layers', () => {
    const plan = from({ conv1: { method: '2:4' }, ip1: { keep: 0.3 }, ip2: { method: '2:4' } });
    expect(plan).toMatchObject({ method: 'n:m', n: 2, m: 4 });
    expect(Object.keys(plan.own)).toEqual(['2/0']);
  });

  test('is the default but for layers to skip where no hint has a rule', () => {
    expect(choices(from({ ip1: { skip: true } })).map(({ layer: name }) => name)).toEqual([
      'conv1',
      'ip2',
      'lstm',
      'lstm',
    ]);
  });

  test('keeps a rule’s kind when its amount changes, and yields to the overall one', () => {
    const plan = from({ conv1: { keep: 0.5 }, ip1: { keep: 0.5 }, ip2: { std: 1.5 } });
    const place = { layer: 3, blob: 0 };
    const changed = reducePlan(plan, { kind: 'plan.own', place, amount: 2 });
    expect(choices(changed).at(-1)).toEqual({ layer: 'ip2', blob: 0, method: 'std', factor: 2 });
    const overall = reducePlan(changed, { kind: 'plan.amount', amount: 0.2 });
    expect(choices(overall).at(-1)).toEqual({ layer: 'ip2', blob: 0, method: 'keep', keep: 0.2 });
  });
});

test('hints of a plan give the same plan', () => {
  const amount = fc.double({ min: 0, max: 1, noNaN: true });
  const encoding = fc.record(
    { bits: fc.integer({ min: 1, max: 16 }), index: fc.constantFrom(4, 5, 8, 16) },
    { requiredKeys: [] },
  );
  const rule: fc.Arbitrary<PruneHint> = fc.oneof(
    amount.map((keep) => ({ keep })),
    amount.map((threshold) => ({ threshold })),
    amount.map((std) => ({ std })),
    fc.constantFrom('filters', 'random').chain((method) => amount.map((keep) => ({ keep, method }))),
    fc.constant({ method: '1:4' }),
  );
  const hint = fc.tuple(rule, encoding).map(([one, other]) => ({ ...one, ...other }));
  const hints = fc.dictionary(fc.constantFrom('conv1', 'ip1', 'ip2', 'lstm'), hint, { minKeys: 1 });
  fc.assert(
    fc.property(hints, (given) => {
      const { hints: written, untold } = hintsOfPlan(plannedBlobs(from(given), layers));
      expect(untold).toBe(0);
      const told = Object.fromEntries(written.flatMap(([name, one]) => (one ? [[name, one]] : [])));
      expect(told).toEqual(given);
    }),
  );
});

test('choices that hints cannot tell are counted', () => {
  const plan = [
    { layer: 0, blob: 1 },
    { layer: 4, blob: 2 },
  ].reduce(
    (now, place, index) => reducePlan(now, { kind: 'plan.choose', places: [place], chosen: index === 0 }),
    initialPlan,
  );
  // A bias that is chosen, and one of two weights of a layer that is not.
  expect(hintsOfPlan(plannedBlobs(plan, layers)).untold).toBe(2);
});

describe('the page follows the hints', () => {
  const hints = (keep: number) => ({ file: 'net.prototxt', layers: { ip1: { keep } } });
  const ready = [
    { kind: 'layers', layers },
    { kind: 'ready' },
    { kind: 'hints', hints: hints(0.3) },
  ] as const;
  const start = ready.reduce(reduceModel, initialState(true, undefined));
  const keeps = ({ kept }: typeof start) =>
    choices(kept.plan).map((choice) => 'keep' in choice && choice.keep);

  test('until the user decides something', () => {
    expect(keeps(start)).toEqual([0.3]);
    expect(keeps(reduceModel(start, { kind: 'hints', hints: hints(0.4) }))).toEqual([0.4]);
    const decided = reduceModel(start, { kind: 'plan.amount', amount: 0.5 });
    expect(keeps(reduceModel(decided, { kind: 'hints', hints: hints(0.4) }))).toEqual([0.5]);
    expect(keeps(reduceModel(decided, { kind: 'takeHints' }))).toEqual([0.3]);
  });

  test('and goes back to the defaults when asked to, or when they are gone', () => {
    expect(keeps(reduceModel(start, { kind: 'plan.reset' }))).toEqual([0.1, 0.1, 0.1, 0.1, 0.1]);
    expect(keeps(reduceModel(start, { kind: 'hints', hints: undefined }))).toEqual([0.1, 0.1, 0.1, 0.1, 0.1]);
  });
});
