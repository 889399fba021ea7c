import { phrase } from '../phrase';
import { dropOf, jointSteps, ROUNDING, type JointStep, type Keeps } from './chooseKeeps';
import type { ComputeContext, Job, Progress } from './job';
import { LayerPruner } from './layerPruner';
import { loadWeights } from './loadWeights';
import { saliency, type Calibration } from './saliency';
import type { SweepResults } from './sweepResults';
import { accuracyOf, addBatch, lossOf, noSums, type Sums } from './tally';
import { TestNet, type TestSource } from './testNet';

export interface JointParams extends TestSource {
  model: string;
  results: SweepResults;
  /** As in the sweep, when it ranked weights by saliency. */
  calibration?: Calibration;
  /**
   * What is wanted: at most this fraction of the swept layers' weights, or as few as cost at most this much accuracy
   * (0..1; for a net that does not classify, this growth of its loss, relative).
   */
  goal: { kept: number } | { drop: number };
  limit?: number;
}

/** A joint choice and what it really costs. */
export interface JointChoice {
  keeps: Keeps;
  /** Fraction of the weights of the swept layers that is kept. */
  kept: number;
  /** The drop that the curves of the single layers let expect, and the one that was measured. */
  expectedDrop: number;
  drop: number;
  accuracy: number | undefined;
  loss: number;
  /** False when no step that was measured meets the goal: then the nearest one is given. */
  met: boolean;
}

/** More evaluations than these are not spent on the search. */
const MAX_EVALUATIONS = 7;

/**
 * Chooses keep ratios for all layers together along the greedy steps of {@link jointSteps}, and verifies the choice by
 * evaluating the net so pruned, since layers interact. For a wanted sparsity that is one evaluation; for a wanted
 * accuracy the steps are bisected until the sparsest one that holds it is found.
 */
export async function* chooseJointly(
  params: JointParams,
  context: ComputeContext,
): Job<Progress, JointChoice> {
  const { goal, results, limit } = params;
  const steps = jointSteps(results);
  const calibrated = { ...params, calibration: { ...params.calibration, samples: results.samples } };
  const ranking = results.ranking === 'saliency' ? yield* saliency(calibrated, context) : undefined;
  const test = await TestNet.open(params, { engine: context.engine });
  try {
    await loadWeights(test.net, params.model, context.signal);
    const pruners = Object.keys(results.weights).map((layer) => ({
      layer,
      pruner: new LayerPruner(test.net, layer, ranking?.get(layer)),
    }));
    const total = Math.min(test.count ?? Infinity, limit ?? Infinity);
    const most = 'kept' in goal ? 1 : MAX_EVALUATIONS;
    let evaluations = 0;
    async function* measure(step: JointStep): AsyncGenerator<Progress, Sums> {
      for (const { layer, pruner } of pruners) pruner.prune(step.keeps[layer] ?? 1);
      const sums = noSums();
      evaluations++;
      for await (const batch of test.batches(context.signal, 0, limit)) {
        if (!addBatch(sums, test.net, test.scores, batch, test.net.forward())) throw test.notFinite();
        yield {
          fraction: (evaluations - 1 + (Number.isFinite(total) ? sums.items / total : 0)) / most,
          message: phrase`${(100 * step.kept).toFixed(2)} % of the weights: ${sums.items} items`,
        };
      }
      return sums;
    }
    const chosen = (step: JointStep, sums: Sums, met: boolean): JointChoice => ({
      keeps: step.keeps,
      kept: step.kept,
      expectedDrop: step.drop,
      drop: dropOf(sums, results.baseline),
      accuracy: accuracyOf(sums),
      loss: lossOf(sums),
      met,
    });

    if ('kept' in goal) {
      const step = steps.find(({ kept }) => kept <= goal.kept) ?? steps.at(-1)!;
      return chosen(step, yield* measure(step), step.kept <= goal.kept);
    }

    // The whole net meets the goal; `bad` is the first step that is known not to.
    let good = 0;
    let goodSums: Sums = results.baseline;
    let bad = steps.length;
    let next = Math.max(
      1,
      steps.findLastIndex(({ drop }) => drop <= goal.drop),
    );
    while (bad - good > 1 && evaluations < most) {
      const sums = yield* measure(steps[next]);
      if (dropOf(sums, results.baseline) <= goal.drop + ROUNDING) {
        good = next;
        goodSums = sums;
      } else bad = next;
      next = (good + bad) >> 1;
    }
    return chosen(steps[good], goodSums, true);
  } finally {
    await test.dispose();
  }
}
