import { describe, expect, test } from 'vitest';
import type { LayerRow, SweepFigure, SweepFigures } from '../../../src/protocol';
import { defaultKeeps } from '../../../src/sparsity/sensitivity';
import { initialPlan, plannedBlobs, reducePlan, toPlan } from '../../../webview/model/plan';
import {
  defaultForm,
  formatKeeps,
  goalOf,
  initialSweepForm,
  layerKeeps,
  parseKeeps,
  settingsOf,
  type SweepForm,
  sweepLines,
  sweepRequest,
  sweptLayers,
  tutorialForm,
} from '../../../webview/model/sweepForm';

const row = (index: number, name: string, type: string, ...shapes: number[][]): LayerRow => ({
  ...{ index, name, type, originalType: type, byteOffset: 0 },
  blobs: shapes.map((shape, blob) => ({
    ...{ index: blob, shape, encoding: 'float', byteOffset: 0, prunable: blob === 0 && type !== 'Scale' },
    count: shape.reduce((all, dim) => all * dim, 1),
  })),
});
const layers = [
  row(0, 'data', 'Data'),
  row(1, 'conv1', 'Convolution', [20, 1, 5, 5], [20]),
  row(2, 'scale', 'Scale', [20]),
  // As files of 2014 hold inner products.
  row(3, 'ip2', 'InnerProduct', [1, 1, 10, 500], [1, 1, 1, 10]),
];
const figure = (layer: string, keep: number, more: Partial<SweepFigure> = {}): SweepFigure => ({
  ...{ layer, keep, kept: 10, accuracy: 0.9, loss: 0.1, items: 200, state: 'measured', ...more },
});
const kept = (more: Partial<SweepFigures> = {}): SweepFigures => ({
  ...{ figures: [], waiting: [], baseline: { accuracy: 0.95, loss: 0.05, items: 200 }, complete: true },
  ...{ items: 200, ranking: 'magnitude', data: 'lmdb', file: 'net.sweep.json', ...more },
});
const form = (change: Partial<SweepForm> = {}): SweepForm => ({ ...initialSweepForm, ...change });

describe('keep ratios as they are typed', () => {
  test.each<[string, number[] | undefined]>([
    ['70, 60, 50', [0.7, 0.6, 0.5]],
    ['0.7 %; 5% 12.5', [0.125, 0.05, 0.007]],
    ['5,30,5', [0.3, 0.05]],
    ['100', [1]],
    ['', undefined],
    ['0', undefined],
    ['101', undefined],
    ['30, x', undefined],
    ['-5', undefined],
  ])('%j', (text, keeps) => {
    expect(parseKeeps(text)).toEqual(keeps);
  });

  test('are written so that they are read back', () => {
    for (const weights of [500, 5_000, 400_000, 100_000_000]) {
      const keeps = defaultKeeps({ weights, outputs: 10 });
      expect(parseKeeps(formatKeeps(keeps))).toEqual(keeps);
    }
  });
});

describe('layers to sweep', () => {
  test('are those whose weights can be pruned, at ratios by their size', () => {
    const swept = sweptLayers(form(), layers, [], []);
    expect(swept.map(({ name, chosen, keeps }) => [name, chosen, keeps.at(-1)])).toEqual([
      ['conv1', true, 0.04],
      ['ip2', true, 0.002],
    ]);
  });

  test('are, unless the user chose otherwise, those that were swept, with their ratios', () => {
    const figures = [
      figure('ip2', 0.5),
      figure('ip2', 0.1, { state: 'collapsed' }),
      figure('ip2', 0.05, { state: 'open' }),
    ];
    expect(sweptLayers(form(), layers, figures, [])).toMatchObject([
      { name: 'conv1', chosen: false, measured: 0 },
      { name: 'ip2', chosen: true, keeps: [0.5, 0.1, 0.05], measured: 2 },
    ]);
    const own = form({ chosen: { conv1: true }, keeps: { ip2: [0.5, 0.2] } });
    expect(sweptLayers(own, layers, figures, [])).toMatchObject([
      { name: 'conv1', chosen: true },
      { name: 'ip2', keeps: [0.5, 0.2], measured: 1 },
    ]);
  });

  test('are all that were asked for, where the sweep was cancelled before it came to some', () => {
    const waiting = [
      { layer: 'conv1', keep: 0.3 },
      { layer: 'ip2', keep: 0.05 },
      { layer: 'ip2', keep: 0.2 },
    ];
    expect(sweptLayers(form(), layers, [figure('ip2', 0.1, { state: 'open' })], waiting)).toMatchObject([
      { name: 'conv1', chosen: true, keeps: [0.3], measured: 0 },
      { name: 'ip2', chosen: true, keeps: [0.2, 0.1, 0.05], measured: 0 },
    ]);
  });

  test('take the tutorial’s ratios where they have its names, and go back to the default ones', () => {
    const swept = sweptLayers(form(), [...layers, row(4, 'fc8', 'InnerProduct', [5, 5])], [], []);
    expect(tutorialForm(swept)).toEqual({
      chosen: { conv1: true, ip2: true, fc8: false },
      keeps: { conv1: [0.7, 0.6, 0.5, 0.4, 0.3], ip2: [0.3, 0.2, 0.15, 0.1, 0.05] },
    });
    expect(
      tutorialForm(sweptLayers(form(), [row(0, 'fc8', 'InnerProduct', [5, 5])], [], [])),
    ).toBeUndefined();
    const tutorial = sweptLayers(form(tutorialForm(swept)), layers, [], []);
    expect(defaultForm(tutorial).keeps.conv1).toEqual(defaultKeeps({ weights: 500, outputs: 20 }));
  });
});

describe('a sweep goes on from the figures that are there', () => {
  test.each<[string, Partial<SweepForm>, SweepFigures | undefined, ('model' | 'net')[], boolean]>([
    ['of the same settings', {}, kept({ limit: 200, ranking: 'saliency' }), [], true],
    ['not where there are none', {}, undefined, [], false],
    ['not of another model', {}, kept(), ['model'], false],
    ['not of another net', {}, kept(), ['net'], false],
    ['not on other items', { limited: true, limit: 100 }, kept({ limit: 200 }), [], false],
    ['on the same items, asked for anew', { limited: true, limit: 200 }, kept({ limit: 200 }), [], true],
    ['not on all items after a few', { limited: false }, kept({ limit: 200 }), [], false],
    ['not by another ranking', { ranking: 'saliency' }, kept(), [], false],
  ])('%s', (_what, change, known, changes, goesOn) => {
    expect(settingsOf(form(change), known, changes).goesOn).toBe(goesOn);
  });

  test('and asks for the chosen layers alone', () => {
    const own = form({ chosen: { conv1: false }, keeps: { ip2: [0.5] }, limited: true, limit: 50 });
    const request = sweepRequest(sweptLayers(own, layers, [], []), settingsOf(own, undefined, []), true);
    expect(request).toEqual({ layers: { ip2: [0.5] }, limit: 50, ranking: 'magnitude', anew: true });
  });
});

describe('the chart', () => {
  const baseline = { accuracy: 0.95, loss: 0.05, items: 200 };
  const figures = [
    figure('a', 0.5),
    figure('a', 0.1, { accuracy: 0.4, loss: 2 }),
    figure('b', 0),
    figure('b', 0.2),
  ];

  test('has a line for each layer and the level of the whole net; a logarithmic scale has no place for 0', () => {
    expect(sweepLines(figures, baseline, 'accuracy', { whole: 'whole' })).toEqual([
      {
        name: 'a',
        points: [
          { x: 0.1, y: 0.4 },
          { x: 0.5, y: 0.9 },
        ],
      },
      { name: 'b', points: [{ x: 0.2, y: 0.9 }] },
      { name: 'whole', level: true, points: [0.1, 0.2, 0.5].map((x) => ({ x, y: 0.95 })) },
    ]);
  });

  test('of the loss of a net that does not classify', () => {
    const lossOnly = [figure('a', 0.5, { accuracy: undefined })];
    const whole = { ...baseline, accuracy: undefined };
    expect(sweepLines(lossOnly, whole, 'loss', { whole: 'whole' }).map(({ points }) => points[0].y)).toEqual([
      0.1, 0.05,
    ]);
    expect(sweepLines(lossOnly, whole, 'accuracy', { whole: 'whole' })).toEqual([{ name: 'a', points: [] }]);
  });
});

test.each<[Partial<SweepForm>, unknown]>([
  [{ goal: 'each', drop: 0.01 }, { each: 0.01 }],
  [{ goal: 'drop', drop: 0.01 }, { drop: 0.01 }],
  [{ goal: 'kept', kept: 0.2 }, { kept: 0.2 }],
])('the goal of %j', (change, goal) => {
  expect(goalOf(form(change))).toEqual(goal);
});

test('chosen keep ratios are all that the pruning panel prunes', () => {
  const before = reducePlan(initialPlan, { kind: 'plan.method', method: 'std' });
  const keeps = layerKeeps({ ip2: 0.1, conv1: 1 }, layers);
  const plan = reducePlan(before, { kind: 'plan.keeps', keeps, bySaliency: true });
  expect(toPlan(plan, plannedBlobs(plan, layers)).choices).toEqual([
    { layer: 'ip2', blob: 0, method: 'keep', keep: 0.1 },
  ]);
  expect(plan).toMatchObject({ method: 'keep', bySaliency: true });
});
