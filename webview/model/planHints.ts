import type { HintEntry, LayerRow, ModelHints } from '../../src/protocol';
import { encodingOfHint, hintOfRule, ruleOfHint } from '../../src/sparsity/hintChoices';
import type { BlobEncoding, BlobRule } from '../../src/sparsity/recipe';
import { amountOf, initialPlan, keyOf, type PlannedBlob, type PlanState } from './plan';

/**
 * The plan that hints describe: their rules for the layers that they speak of, and no other layer; where none has a rule,
 * the defaults but for the layers to skip. The rule that most blobs have is the overall one.
 */
export function planOfHints(
  plan: PlanState,
  { layers: hints }: ModelHints,
  layers: readonly LayerRow[],
): PlanState {
  const someRule = Object.values(hints).some((hint) => ruleOfHint(hint) !== undefined);
  const chosen: Record<string, boolean> = {};
  const rules: Record<string, BlobRule> = {};
  const encodings: Record<string, BlobEncoding> = {};
  for (const { index, name, blobs } of layers) {
    const hint = Object.hasOwn(hints, name) ? hints[name] : {};
    const rule = ruleOfHint(hint);
    for (const { index: blob, prunable } of blobs) {
      if (!prunable) continue;
      const key = keyOf({ layer: index, blob });
      if (rule) {
        rules[key] = rule;
        encodings[key] = encodingOfHint(hint);
      } else if (someRule || hint.skip) chosen[key] = false;
    }
  }
  const overall = mostCommon(Object.values(rules));
  return {
    ...(overall ? withOverall(initialPlan, overall) : initialPlan),
    seed: plan.seed,
    encoding: plan.encoding,
    chosen,
    own: Object.fromEntries(Object.entries(rules).filter(([, rule]) => !isSame(rule, overall))),
    encodings,
  };
}

/**
 * The hints that say what a plan does, by layer; null for those that it leaves alone.
 * `untold`: choices that hints cannot tell, of biases and of layers with several rules.
 */
export function hintsOfPlan(blobs: readonly PlannedBlob[]): { hints: HintEntry[]; untold: number } {
  const layers = new Map<string, PlannedBlob[]>();
  let untold = 0;
  for (const blob of blobs) {
    if (blob.description.prunable) layers.set(blob.row.name, [...(layers.get(blob.row.name) ?? []), blob]);
    else if (blob.chosen) untold++;
  }
  const hints = [...layers].map(([name, all]): HintEntry => {
    const first = all.find(({ chosen }) => chosen);
    if (!first) return [name, null];
    untold += all.filter(({ chosen, rule }) => !chosen || !isSame(rule, first.rule)).length;
    return [name, hintOfRule(first.rule, first.encoding)];
  });
  return { hints, untold };
}

const isSame = (one: BlobRule, other: BlobRule | undefined): boolean =>
  JSON.stringify(hintOfRule(one)) === (other && JSON.stringify(hintOfRule(other)));

function mostCommon(rules: readonly BlobRule[]): BlobRule | undefined {
  const counts = new Map<string, { rule: BlobRule; count: number }>();
  for (const rule of rules) {
    const key = JSON.stringify(hintOfRule(rule));
    counts.set(key, { rule, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.values()].reduce<{ rule?: BlobRule; count: number }>(
    (best, one) => (one.count > best.count ? one : best),
    { count: 0 },
  ).rule;
}

function withOverall(plan: PlanState, rule: BlobRule): PlanState {
  const { method } = rule;
  if (method === 'n:m') return { ...plan, method, n: rule.n, m: rule.m };
  return { ...plan, method, amounts: { ...plan.amounts, [method]: amountOf(rule) } };
}
