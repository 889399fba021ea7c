import { expect, test } from 'vitest';
import type { Measurement, RetrainEvent } from '../../../src/protocol';
import {
  accuracyLines,
  foldRetrain,
  lossLines,
  nothingTold,
  sparsityLines,
} from '../../../webview/model/retrainSeries';

const event = (iteration: number, more: Partial<RetrainEvent> = {}): RetrainEvent => ({
  iteration,
  iterations: 1000,
  fraction: iteration / 1000,
  message: '',
  ...more,
});
const figures = (accuracy: number) => ({ items: 10, loss: 1 - accuracy, accuracy });
const measured = (iteration: number, accuracy: number, kept: [number, number]): RetrainEvent => {
  const layers = [
    { layer: 'conv', blob: 0, kept: kept[0], count: 10 },
    { layer: 'ip', blob: 0, kept: kept[1], count: 90 },
  ];
  const measurement: Measurement = {
    iteration,
    test: figures(accuracy),
    keep: (kept[0] + kept[1]) / 100,
    layers,
  };
  return event(iteration, { measurement });
};
const told = (...events: RetrainEvent[]) => events.reduce(foldRetrain, nothingTold());

test('the training loss is the mean over each two-hundredth of the run', () => {
  const all = told(
    event(0),
    ...[1, 4, 5, 6].map((iteration) => event(iteration, { loss: iteration, smoothedLoss: 1, rate: 0.1 })),
  );
  const [{ name, points }] = lossLines(all);
  expect(name).toBe('Training');
  expect(points.map(({ x, y }) => [x, y])).toEqual([
    [5, (1 + 4 + 5) / 3],
    [10, 6],
  ]);
  expect(all).toMatchObject({ loss: 1, rate: 0.1 });
});

test('a measurement tells the training loss since the one before, in place of what was seen of it', () => {
  const all = told(
    { ...measured(0, 0.2, [10, 90]), trained: [] },
    event(3, { loss: 9 }),
    event(9, { loss: 7 }),
    {
      ...measured(12, 0.5, [10, 90]),
      trained: [
        { iteration: 5, loss: 8 },
        { iteration: 10, loss: 6 },
        { iteration: 12, loss: 5 },
      ],
    },
    event(13, { loss: 4 }),
    event(14, { loss: 2 }),
  );
  expect(lossLines(all)[0].points.map(({ x, y }) => [x, y])).toEqual([
    [5, 8],
    [10, 6],
    [12, 5],
    [15, 3],
  ]);
});

test('a long run has no more points than a chart can show', () => {
  const all = nothingTold();
  for (let iteration = 1; iteration <= 10_000; iteration++)
    foldRetrain(all, event(iteration, { iterations: 10_000, loss: 1 }));
  expect(all.losses).toHaveLength(200);
  expect(all.losses.at(-1)).toMatchObject({ x: 10_000, y: 1 });
});

test('the accuracy is shown with the baseline over the whole run', () => {
  const lines = accuracyLines(
    told(event(0, { baseline: { test: figures(0.9) } }), measured(0, 0.2, [5, 9]), measured(50, 0.8, [5, 9])),
  );
  expect(lines).toEqual([
    {
      name: 'Test',
      points: [
        { x: 0, y: 0.2 },
        { x: 50, y: 0.8 },
      ],
    },
    {
      name: 'Baseline, test',
      points: [
        { x: 0, y: 0.9 },
        { x: 1000, y: 0.9 },
      ],
      level: true,
    },
  ]);
});

test('a net that does not classify has losses alone', () => {
  const loss = { items: 10, loss: 2 };
  const all = told(
    event(0, { baseline: { test: loss } }),
    event(5, { measurement: { iteration: 5, test: loss, keep: 1, layers: [] } }),
  );
  expect(accuracyLines(all)).toEqual([]);
  expect(lossLines(all)[1]).toEqual({ name: 'Test', points: [{ x: 5, y: 2 }] });
});

test('the sparsity is shown of all together and of each layer', () => {
  const lines = sparsityLines(told(measured(0, 0.2, [10, 90]), measured(50, 0.8, [5, 9])));
  expect(lines.map(({ name, points }) => [name, ...points.map(({ y }) => y)])).toEqual([
    ['All', 0, 1 - 0.14],
    ['conv', 0, 0.5],
    ['ip', 0, 0.9],
  ]);
});
