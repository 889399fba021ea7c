import type { BlobFigures, BlobPlace, RetrainRequest, RunNotes, TrainingData } from '../../src/protocol';
import { finerThanChance } from '../../src/sparsity/standardError';
import { type Estimate, keyOf, type PlannedBlob, type PlanState } from './plan';

export type ScheduleKind = RunNotes['schedule']['kind'];

/** What the user chose in the retraining panel, for all schedules, so that going back to one finds it as it was left. */
export interface RetrainPlan {
  /** Undefined until one is chosen: then the one that suits the model. */
  kind?: ScheduleKind;
  iterations: number;
  rounds: number;
  /** Iterations between two prunings. */
  interval: number;
  /** Accuracy, 0..1, that may be lost. */
  tolerance: number;
  /** Iterations in which a round has to regain the accuracy. */
  perRound: number;
  /** Share of the training data that is held out. */
  holdOut: number;
  /** Keep ratios of single blobs, by {@link keyOf}. */
  own: Readonly<Record<string, number>>;
}

export const initialRetrainPlan: RetrainPlan = {
  iterations: 2000,
  rounds: 10,
  interval: 50,
  tolerance: 0.001,
  perRound: 500,
  holdOut: 0.1,
  own: {},
};

/** A blob that could be retrained under a mask. */
export interface RetrainedBlob extends PlannedBlob {
  /** Share of its weights that are not zero; undefined until its figures are there. */
  present: number | undefined;
  /** Share that is to stay. */
  keep: number;
}

/** Of a model with more zeros than this among what is pruned, the zeros come from pruning. */
const prunedFrom = 0.02;

/** Whether the chosen blobs were pruned already, by their zeros; undefined until all figures are there. */
export function isPruned(
  blobs: readonly PlannedBlob[],
  figuresOf: (place: BlobPlace) => BlobFigures | undefined,
): boolean | undefined {
  let count = 0;
  let zeros = 0;
  for (const blob of blobs) {
    if (!blob.chosen) continue;
    const statistics = figuresOf(blob)?.statistics;
    if (!statistics) return undefined;
    count += statistics.count;
    zeros += statistics.count - statistics.nonZero;
  }
  return zeros > count * prunedFrom;
}

/**
 * The blobs with their keep ratios: those that the user gave, else of a pruned model what is left of each, else what the
 * pruning panel's plan would leave of it.
 * @param outcomes of the pruning panel's plan
 */
export function retrainedBlobs(
  plan: RetrainPlan,
  blobs: readonly PlannedBlob[],
  pruned: boolean,
  figuresOf: (place: BlobPlace) => BlobFigures | undefined,
  outcomes: ReadonlyMap<string, Estimate>,
): RetrainedBlob[] {
  return blobs.map((blob) => {
    const key = keyOf(blob);
    const statistics = figuresOf(blob)?.statistics;
    const present = statistics && statistics.nonZero / statistics.count;
    const outcome = outcomes.get(key);
    const planned = outcome ? 1 - outcome.zeros / blob.description.count : 1;
    const own = plan.own[key];
    return { ...blob, present, own: own !== undefined, keep: own ?? (pruned ? (present ?? 1) : planned) };
  });
}

/** The share of the chosen blobs' weights that is to stay. */
export function overallKeep(blobs: readonly RetrainedBlob[]): number {
  const chosen = blobs.filter((blob) => blob.chosen);
  const sum = (of: (blob: RetrainedBlob) => number) => chosen.reduce((all, blob) => all + of(blob), 0);
  return (
    sum(({ keep, description }) => keep * description.count) / sum(({ description }) => description.count)
  );
}

/** How many items the weights are judged on: the part held out, or the test data; undefined where that is not known. */
export const itemsJudgedOn = (
  { holdOut }: RetrainPlan,
  data: TrainingData | undefined,
): number | undefined => {
  const all = holdOut > 0 ? data?.train.items : data?.test?.items;
  return all !== undefined && holdOut > 0 ? Math.ceil(all * holdOut) : all;
};

/** Before a net is measured it is taken for a good one: of those the accuracy moves the least. */
const assumed = 0.99;

/** {@link finerThanChance} before the baseline is known, where it is known how many items there are. */
export const tooFine = (tolerance: number, items: number | undefined): ReturnType<typeof finerThanChance> =>
  items === undefined || items === 0 ? undefined : finerThanChance(tolerance, assumed, items);

/** The plan as the retrain job takes it. Blobs that keep all their weights are none of its choices. */
export function toRetrainRequest(
  plan: RetrainPlan,
  kind: ScheduleKind,
  blobs: readonly RetrainedBlob[],
  encoding: PlanState['encoding'],
): RetrainRequest {
  const { rounds, interval, tolerance, perRound, iterations, holdOut } = plan;
  const schedule = {
    oneShot: { kind: 'oneShot' as const },
    iterative: { kind: 'iterative' as const, rounds },
    gradual: { kind: 'gradual' as const, interval },
    splicing: { kind: 'splicing' as const, interval },
    auto: { kind: 'auto' as const, tolerance, perRound },
  }[kind];
  const choices = blobs
    .filter(({ chosen }) => chosen)
    .map(({ row, blob, keep }) => ({ layer: row.name, blob, keep: kind === 'auto' ? 0 : keep }))
    .filter(({ keep }) => keep < 1);
  return { choices, schedule, iterations, holdOut, encoding, resume: false };
}
