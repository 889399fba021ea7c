import type { Achieved, Measurement, RetrainEvent } from '../../src/protocol';
import type { Line } from '../charts/lines';
import { t } from '../l10n';

/** Until a measurement tells it for good, the training loss is shown as means over this many parts of the run. */
const lossPoints = 200;
/** Layers that have a line of their own: those with the most weights. */
const mostLayers = 11;

/** What the events of a retraining come to. */
export interface RetrainTold {
  /** The last event that told of an iteration; undefined before the first. */
  last?: RetrainEvent;
  /** The last loss and rate that were told. */
  loss?: number;
  rate?: number;
  baseline?: Achieved;
  measurements: Measurement[];
  /** Means of the training loss, each at the end of its part of the run; since the last measurement, of what was told. */
  losses: { x: number; y: number; told?: number }[];
}

export const nothingTold = (): RetrainTold => ({ measurements: [], losses: [] });

/** Adds an event, in place. */
export function foldRetrain(told: RetrainTold, event: RetrainEvent): RetrainTold {
  const { iteration, iterations, loss, smoothedLoss, rate, measurement, trained, baseline } = event;
  told.last = event;
  told.loss = smoothedLoss ?? told.loss;
  told.rate = rate ?? told.rate;
  told.baseline = baseline ?? told.baseline;
  if (trained) {
    const known = told.measurements.at(-1)?.iteration ?? -1;
    told.losses = [
      ...told.losses.filter(({ x }) => x <= known),
      ...trained.map((part) => ({ x: part.iteration, y: part.loss })),
    ];
  }
  if (measurement) told.measurements.push(measurement);
  if (loss !== undefined) {
    const width = Math.ceil(iterations / lossPoints);
    const x = Math.min(iterations, Math.ceil(iteration / width) * width);
    const part = told.losses.at(-1);
    if (part?.told !== undefined && part.x === x) {
      part.told++;
      part.y += (loss - part.y) / part.told;
    } else {
      told.losses.push({ x, y: loss, told: 1 });
    }
  }
  return told;
}

type Lines = (told: RetrainTold) => Line[];

/** The losses, by iteration. */
export const lossLines: Lines = (told) => [
  { name: t('Training'), points: told.losses },
  ...measuredLines(told, 'loss'),
];

/** The accuracies with the baseline's, by iteration; none for a net that does not classify. */
export const accuracyLines: Lines = (told) => measuredLines(told, 'accuracy');

function measuredLines(told: RetrainTold, figure: 'loss' | 'accuracy'): Line[] {
  const { baseline, measurements, last } = told;
  return (['validation', 'test'] as const).flatMap((on) => {
    const name = on === 'test' ? t('Test') : t('Held out');
    const points = measurements.flatMap((measurement) => {
      const y = measurement[on]?.[figure];
      return y === undefined ? [] : [{ x: measurement.iteration, y }];
    });
    const level = baseline?.[on]?.[figure];
    if (level === undefined) return [];
    const line = { name, points };
    // One baseline is enough to aim at; a training loss that starts high would make one of the losses unreadable.
    if (figure === 'loss' || on !== 'test') return [line];
    const ends = [0, last?.iterations ?? 0].map((x) => ({ x, y: level }));
    return [line, { name: t('Baseline, test'), points: ends, level: true }];
  });
}

/** The shares of zeros of all layers together and of the largest layers, by iteration. */
export function sparsityLines({ measurements }: RetrainTold): Line[] {
  const [first] = measurements;
  if (!first) return [];
  const largest = first.layers
    .map(({ count }, index) => ({ count, index }))
    .sort((a, b) => b.count - a.count)
    .slice(0, mostLayers)
    .map(({ index }) => index)
    .sort((a, b) => a - b);
  const names = first.layers.map(({ layer, blob }, index) =>
    first.layers.some((other, i) => i !== index && other.layer === layer) ? `${layer} ${blob}` : layer,
  );
  return [
    { name: t('All'), points: measurements.map(({ iteration, keep }) => ({ x: iteration, y: 1 - keep })) },
    ...largest.map((index) => ({
      name: names[index],
      points: measurements.map(({ iteration, layers }) => ({
        x: iteration,
        y: 1 - layers[index].kept / layers[index].count,
      })),
    })),
  ];
}
