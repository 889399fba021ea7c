import { csvOf } from '../csv';

/** A layer, as far as its size says how sparse it can be. */
export interface LayerSize {
  /** Number of weights. */
  weights: number;
  /** Number of its outputs: filters or units. */
  outputs: number;
}

/**
 * Keep ratios to try for a layer: a dozen, each the same factor below the one before, down to one weight for each
 * output. The larger a layer, the sparser it can be.
 */
export function defaultKeeps({ weights, outputs }: LayerSize): number[] {
  const least = Math.max(outputs / weights, 1e-4);
  const keeps = Array.from({ length: 12 }, (_, i) => Number((least ** ((i + 1) / 12)).toPrecision(2)));
  return [...new Set(keeps)];
}

/** The keep ratios of the well-known tutorial for LeNet, for its layers conv1, conv2, ip1 and ip2. */
export const TUTORIAL_KEEPS: Readonly<Record<string, number[]>> = {
  conv1: [0.7, 0.6, 0.5, 0.4, 0.3],
  conv2: [0.3, 0.2, 0.15, 0.1, 0.05],
  ip1: [0.3, 0.2, 0.15, 0.1, 0.05],
  ip2: [0.3, 0.2, 0.15, 0.1, 0.05],
};

/** One measurement of a layer's sensitivity: what the net achieves with that layer alone pruned. */
export interface SensitivityPoint {
  layer: string;
  /** Fraction of the layer's weights to keep, 0..1. */
  keep: number;
  /** Weights that are kept. */
  kept: number;
  /** 0..1; undefined for a net that does not classify. */
  accuracy: number | undefined;
  loss: number;
  /** Items that it was measured on. */
  items: number;
  state: string;
}

/** The points as comma-separated values, in full precision. */
export const sensitivityCsv = (points: readonly SensitivityPoint[]): string =>
  csvOf([
    ['layer', 'keep', 'kept', 'accuracy', 'loss', 'items', 'state'],
    ...points.map(({ layer, keep, kept, accuracy, loss, items, state }) => [
      ...[layer, keep, kept, accuracy, loss, items, state],
    ]),
  ]);
