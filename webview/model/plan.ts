import type { BlobFigures, BlobPlace, BlobRow, LayerRow, PagePlan } from '../../src/protocol';
import { expectedRandomZeros, expectedRelativeBytes, mergeCounts } from '../../src/sparsity/estimate';
import { weightGeometry } from '../../src/sparsity/geometry';
import { approximateThreshold, countAtMost } from '../../src/sparsity/magnitudeCounts';
import type { BlobEncoding, BlobRule, Choice, SparseEncoding } from '../../src/sparsity/recipe';

export type Method = BlobRule['method'];

/** What the user chose in the pruning panel, for all methods, so that going back to one finds it as it was left. */
export interface PlanState {
  method: Method;
  /** The overall amount of each method that has one: a keep ratio, a threshold on |w|, or a factor of sigma. */
  amounts: Record<Exclude<Method, 'n:m'>, number>;
  n: number;
  m: number;
  seed: number;
  encoding: SparseEncoding;
  /** Whether weights are ranked by their saliency, where the method ranks them, instead of by their magnitude. */
  bySaliency: boolean;
  /** Blobs that are chosen or left alone otherwise than by default, by {@link keyOf}. */
  chosen: Readonly<Record<string, boolean>>;
  /** Rules of single blobs that are not the overall one, by {@link keyOf}. */
  own: Readonly<Record<string, BlobRule>>;
  /** How what stays of single blobs is written, where hints ask for it, by {@link keyOf}. */
  encodings: Readonly<Record<string, BlobEncoding>>;
  /** Whether the user decided something: then hints that are read later do not replace the plan. */
  decided: boolean;
}

export const initialPlan: PlanState = {
  method: 'keep',
  amounts: { keep: 0.1, global: 0.1, filters: 0.7, random: 0.1, threshold: 0.01, std: 1 },
  n: 2,
  m: 4,
  seed: 1,
  encoding: 'relative',
  bySaliency: false,
  chosen: {},
  own: {},
  encodings: {},
  decided: false,
};

/** Methods that rank weights; the others judge each by itself, and need no data. */
export const ranks = (method: Method): boolean => method !== 'threshold' && method !== 'std';

/** Whether the plan ranks by saliency. Blobs whose own rule does not rank keep it from that. */
export const isBySaliency = (plan: PlanState, blobs: readonly PlannedBlob[]): boolean =>
  plan.bySaliency && blobs.every(({ chosen, rule }) => !chosen || ranks(rule.method));

/** Methods under which each blob can have an amount of its own. */
export const hasOwnAmounts = (method: Method): boolean => method !== 'global' && method !== 'n:m';

export const keyOf = ({ layer, blob }: BlobPlace): string => `${layer}/${blob}`;

/** A blob's share of weights to keep, 0..1. */
export interface LayerKeep extends BlobPlace {
  keep: number;
}

export type PlanAction =
  | { kind: 'plan.method'; method: Method }
  | { kind: 'plan.amount'; amount: number }
  | { kind: 'plan.own'; place: BlobPlace; amount: number | undefined }
  | { kind: 'plan.choose'; places: readonly BlobPlace[]; chosen: boolean }
  | { kind: 'plan.groups'; n: number; m: number }
  | { kind: 'plan.seed'; seed: number }
  | { kind: 'plan.saliency'; bySaliency: boolean }
  | { kind: 'plan.encoding'; encoding: SparseEncoding }
  /** A keep ratio for each blob, and how its weights are ranked; those with a ratio of 1 are left alone. */
  | { kind: 'plan.keeps'; keeps: readonly LayerKeep[]; bySaliency: boolean }
  | { kind: 'plan.reset' };

export const reducePlan = (plan: PlanState, action: PlanAction): PlanState => ({
  ...changed(plan, action),
  decided: true,
});

function changed(plan: PlanState, action: PlanAction): PlanState {
  switch (action.kind) {
    case 'plan.method':
      return { ...plan, method: action.method, own: {} };
    case 'plan.amount':
      // The overall slider rules all blobs: those with an amount of their own follow again.
      return plan.method === 'n:m'
        ? plan
        : { ...plan, amounts: { ...plan.amounts, [plan.method]: action.amount }, own: {} };
    case 'plan.own': {
      const key = keyOf(action.place);
      const { [key]: _former, ...others } = plan.own;
      if (action.amount === undefined) return { ...plan, own: others };
      return { ...plan, own: { ...others, [key]: withAmount(ruleFor(plan, action.place), action.amount) } };
    }
    case 'plan.choose': {
      const chosen = { ...plan.chosen };
      for (const place of action.places) chosen[keyOf(place)] = action.chosen;
      return { ...plan, chosen };
    }
    case 'plan.groups':
      return { ...plan, n: Math.min(action.n, action.m), m: action.m };
    case 'plan.seed':
      return { ...plan, seed: action.seed };
    case 'plan.saliency':
      return { ...plan, bySaliency: action.bySaliency };
    case 'plan.encoding':
      return { ...plan, encoding: action.encoding };
    case 'plan.keeps': {
      const pruned = action.keeps.filter(({ keep }) => keep < 1);
      return {
        ...plan,
        method: 'keep',
        bySaliency: action.bySaliency,
        chosen: Object.fromEntries(action.keeps.map((each) => [keyOf(each), each.keep < 1])),
        own: Object.fromEntries(pruned.map((each) => [keyOf(each), { method: 'keep', keep: each.keep }])),
      };
    }
    case 'plan.reset':
      return initialPlan;
  }
}

/** A blob that pruning could take. */
export interface PlannedBlob extends BlobPlace {
  row: LayerRow;
  description: BlobRow;
  chosen: boolean;
  rule: BlobRule;
  /** Whether the rule is the blob's own. */
  own: boolean;
  /** How what stays is written, where that is not left to the plan. */
  encoding?: BlobEncoding;
}

export const isChosen = (plan: PlanState, place: BlobPlace, { prunable }: BlobRow): boolean =>
  plan.chosen[keyOf(place)] ?? prunable;

/** The rule that the plan has for a blob. */
export const ruleFor = (plan: PlanState, place: BlobPlace): BlobRule =>
  plan.own[keyOf(place)] ?? overallRule(plan);

function overallRule(plan: PlanState): BlobRule {
  const { method } = plan;
  if (method === 'n:m') return { method, n: plan.n, m: plan.m };
  const amount = plan.amounts[method];
  if (method === 'threshold') return { method, threshold: amount };
  return method === 'std' ? { method, factor: amount } : { method, keep: amount };
}

function withAmount(rule: BlobRule, amount: number): BlobRule {
  if (rule.method === 'n:m') return rule;
  if (rule.method === 'threshold') return { ...rule, threshold: amount };
  return rule.method === 'std' ? { ...rule, factor: amount } : { ...rule, keep: amount };
}

/** The amount in a rule that has one. */
export const amountOf = (rule: BlobRule): number =>
  rule.method === 'n:m'
    ? NaN
    : rule.method === 'threshold'
      ? rule.threshold
      : rule.method === 'std'
        ? rule.factor
        : rule.keep;

/** All blobs with values, in net order, each with the rule that the plan has for it. */
export function plannedBlobs(plan: PlanState, layers: readonly LayerRow[]): PlannedBlob[] {
  const blobs: PlannedBlob[] = [];
  for (const row of layers) {
    for (const description of row.blobs) {
      if (description.count === 0 || description.problem !== undefined) continue;
      const place = { layer: row.index, blob: description.index };
      const key = keyOf(place);
      blobs.push({
        ...place,
        row,
        description,
        chosen: isChosen(plan, place, description),
        rule: ruleFor(plan, place),
        own: plan.own[key] !== undefined,
        encoding: plan.encodings[key],
      });
    }
  }
  return blobs;
}

/** What the plan would make of a blob, estimated from the counts of its magnitudes. */
export interface Estimate {
  /** The |w| up to which weights go, where there is a single one. */
  threshold?: number;
  zeros: number;
  /** In the plan's encoding. */
  bytes: number;
}

/** Estimates for chosen blobs whose figures are there, by {@link keyOf}. */
export function estimate(
  plan: PlanState,
  blobs: readonly PlannedBlob[],
  figuresOf: (place: BlobPlace) => BlobFigures | undefined,
): Map<string, Estimate> {
  const chosen = blobs.flatMap((blob) => {
    const figures = blob.chosen ? figuresOf(blob) : undefined;
    return figures ? [{ blob, figures }] : [];
  });
  const global = chosen.filter(({ blob }) => blob.rule.method === 'global');
  const shared =
    global.length > 0
      ? globalThreshold(
          amountOf(global[0].blob.rule),
          global.map(({ figures }) => figures),
        )
      : 0;
  return new Map(
    chosen.map(({ blob, figures }) => {
      const { count, nonZero } = figures.statistics;
      const { zeros, threshold } = estimateZeros(blob, figures, shared);
      const after = Math.max(zeros, count - nonZero);
      return [keyOf(blob), { threshold, zeros: after, bytes: bytesOf(plan.encoding, blob, count, after) }];
    }),
  );
}

function globalThreshold(keep: number, figures: readonly BlobFigures[]): number {
  if (keep >= 1) return -1;
  return approximateThreshold(mergeCounts(figures.map(({ magnitudes }) => magnitudes)), keep);
}

function estimateZeros(
  { rule, row, description }: PlannedBlob,
  { statistics: { count, std }, magnitudes }: BlobFigures,
  shared: number,
): { zeros: number; threshold?: number } {
  /** By the rule of keep ratios, of n scores this many stay. */
  const staying = (n: number, keep: number) => (keep >= 1 ? n : Math.trunc((n - 1) * keep));
  switch (rule.method) {
    case 'keep': {
      if (rule.keep >= 1) return { zeros: 0 };
      const stay = Math.max(1, staying(count, rule.keep));
      return { zeros: count - stay, threshold: approximateThreshold(magnitudes, stay / count) };
    }
    case 'random': {
      if (rule.keep >= 1) return { zeros: 0 };
      const threshold = approximateThreshold(magnitudes, staying(count, rule.keep) / count);
      return { zeros: expectedRandomZeros(magnitudes, threshold), threshold };
    }
    case 'filters': {
      const { outputs } = weightGeometry(row.type, description.shape);
      const stay = Math.min(outputs, Math.max(1, staying(outputs, rule.keep)));
      return { zeros: Math.round(((outputs - stay) * count) / outputs) };
    }
    case 'n:m': {
      const { inputs } = weightGeometry(row.type, description.shape);
      const rest = inputs % rule.m;
      const stay = Math.floor(inputs / rule.m) * rule.n + Math.min(rest, rule.n);
      return { zeros: Math.round((count * (inputs - stay)) / inputs) };
    }
    default: {
      const threshold =
        rule.method === 'global' ? shared : rule.method === 'std' ? rule.factor * std : rule.threshold;
      if (threshold < 0) return { zeros: 0 };
      // The largest weight is spared where the rule would leave nothing.
      return { zeros: Math.min(countAtMost(magnitudes, threshold), count - 1), threshold };
    }
  }
}

function bytesOf(
  encoding: SparseEncoding,
  { row, description }: PlannedBlob,
  count: number,
  zeros: number,
): number {
  const entries = count - zeros;
  if (encoding === 'relative') return expectedRelativeBytes(count, entries);
  const { outputs } = weightGeometry(row.type, description.shape);
  const outer = encoding === 'csr' ? outputs : count / Math.max(1, outputs);
  return 8 * entries + 4 * (outer + 1);
}

/**
 * The |w| up to which weights of a blob go, where its histogram can show it: whole filters go by their norms, and what
 * goes by its saliency lies anywhere among the weights.
 */
export const thresholdIn = (
  { chosen, rule }: PlannedBlob,
  outcome: Estimate | undefined,
  bySaliency: boolean,
): number | undefined =>
  chosen && !bySaliency && rule.method !== 'filters' ? outcome?.threshold : undefined;

/** The keep ratio that has this threshold, over blobs taken together. */
export function keepAtThreshold(figures: readonly BlobFigures[], threshold: number): number {
  let count = 0;
  let pruned = 0;
  for (const { statistics, magnitudes } of figures) {
    count += statistics.count;
    pruned += countAtMost(magnitudes, threshold);
  }
  return count === 0 ? 1 : Number((1 - pruned / count).toFixed(5));
}

/** The plan as the extension takes it. */
export function toPlan(plan: PlanState, blobs: readonly PlannedBlob[]): PagePlan {
  const choices = blobs
    .filter(({ chosen }) => chosen)
    .map(({ row, blob, rule, encoding }): Choice => ({ layer: row.name, blob, ...rule, ...encoding }));
  const { encoding, seed } = plan;
  return { encoding, seed, choices, bySaliency: isBySaliency(plan, blobs) };
}
