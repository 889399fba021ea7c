import type { SweepPoint, SweepResults } from './sweepResults';
import { accuracyOf, lossOf, type Sums } from './tally';

/** Keep ratios by layer; a layer that is not named stays whole. */
export type Keeps = Record<string, number>;

/** Accuracies are fractions: 0.99 - 0.98 is a little more than 0.01. */
export const ROUNDING = 1e-9;

/** How much worse a point is than the whole net. */
interface Cost {
  /** {@link dropOf}, at least 0. */
  drop: number;
  /** Loss gained. */
  loss: number;
}

/** Accuracy lost, 0..1, negative when it is gained; for a net that does not classify, the relative growth of the loss. */
export function dropOf(sums: Sums, baseline: Sums): number {
  const [accuracy, whole] = [accuracyOf(sums), accuracyOf(baseline)];
  if (accuracy !== undefined && whole !== undefined) return whole - accuracy;
  return (lossOf(sums) - lossOf(baseline)) / Math.abs(lossOf(baseline));
}

const costOf = (sums: Sums, baseline: Sums): Cost => ({
  drop: Math.max(0, dropOf(sums, baseline)),
  loss: Math.max(0, lossOf(sums) - lossOf(baseline)),
});

/** The curve of each layer from the largest keep ratio to the smallest that was measured; costs never fall. */
function curvesOf({ points, baseline }: SweepResults): Map<string, { point: SweepPoint; cost: Cost }[]> {
  const curves = new Map<string, { point: SweepPoint; cost: Cost }[]>();
  for (const point of points.toSorted((a, b) => b.keep - a.keep)) {
    if (point.state !== 'measured') continue;
    const curve = curves.get(point.layer) ?? [];
    curves.set(point.layer, curve);
    const before = curve.at(-1)?.cost ?? { drop: 0, loss: 0 };
    const cost = costOf(point.sums, baseline);
    curve.push({
      point,
      cost: { drop: Math.max(before.drop, cost.drop), loss: Math.max(before.loss, cost.loss) },
    });
  }
  return curves;
}

/**
 * For each layer on its own the smallest keep ratio that costs at most `tolerance` (accuracy lost, 0..1). Points beyond
 * one that costs more are not trusted, even when noise makes them look better.
 */
export function keepsWithin(results: SweepResults, tolerance: number): Keeps {
  const keeps: Keeps = {};
  for (const [layer, curve] of curvesOf(results)) {
    const allowed = curve.filter(({ cost }) => cost.drop <= tolerance + ROUNDING);
    keeps[layer] = allowed.at(-1)?.point.keep ?? 1;
  }
  return keeps;
}

/** One step of a joint choice. */
export interface JointStep {
  keeps: Keeps;
  /** Fraction of the weights of the swept layers that is kept. */
  kept: number;
  /** The accuracy that the steps are expected to cost together. */
  drop: number;
}

/**
 * Joint choices of keep ratios, from the whole net to the sparsest that was measured: each step lowers the keep ratio of
 * the layer that removes the most weights for the loss it adds (greedy over the measured curves, whose costs are taken
 * to add up). Layers do interact: verify the step that you take by an evaluation.
 */
export function jointSteps(results: SweepResults): JointStep[] {
  const curves = curvesOf(results);
  const total = [...curves.keys()].reduce((sum, layer) => sum + results.weights[layer], 0);
  const position = new Map([...curves.keys()].map((layer) => [layer, -1]));
  const at = (layer: string, index: number) =>
    index < 0
      ? { keep: 1, kept: results.weights[layer], cost: { drop: 0, loss: 0 } }
      : { ...curves.get(layer)![index], ...curves.get(layer)![index].point };
  const steps: JointStep[] = [{ keeps: {}, kept: 1, drop: 0 }];
  for (;;) {
    // A layer may go several points on at once: behind a step there may be a better one.
    let best: { layer: string; index: number; gain: number } | undefined;
    for (const [layer, curve] of curves) {
      const here = at(layer, position.get(layer)!);
      for (let index = position.get(layer)! + 1; index < curve.length; index++) {
        const there = at(layer, index);
        const removed = here.kept - there.kept;
        const gain = removed / Math.max(there.cost.loss - here.cost.loss, 1e-9);
        if (best === undefined || gain > best.gain) best = { layer, index, gain };
      }
    }
    if (best === undefined) return steps;
    position.set(best.layer, best.index);
    const state = [...position].map(([layer, index]) => ({ layer, ...at(layer, index) }));
    steps.push({
      keeps: Object.fromEntries(state.filter(({ keep }) => keep < 1).map(({ layer, keep }) => [layer, keep])),
      kept: state.reduce((sum, { kept }) => sum + kept, 0) / total,
      drop: state.reduce((sum, { cost }) => sum + cost.drop, 0),
    });
  }
}
