import { useEffect, useState } from 'preact/hooks';
import { host } from '../host';
import { type Estimate, keyOf, type PlannedBlob, type PlanState, toPlan } from './plan';

/** How long after the last change the exact numbers are asked for: estimates follow a slider, these its release. */
const restMs = 350;

/** Exactly what the plan makes of each blob, once the plan has rested; undefined until then. */
export function useExactOutcomes(
  plan: PlanState,
  blobs: readonly PlannedBlob[],
): ReadonlyMap<string, Estimate> | undefined {
  const [known, setKnown] = useState<{ plan: PlanState; outcomes: Map<string, Estimate> } | undefined>(
    undefined,
  );
  useEffect(() => {
    const { choices, seed, encoding } = toPlan(plan, blobs);
    if (choices.length === 0) return undefined;
    const controller = new AbortController();
    const outcomes = new Map<string, Estimate>();
    const timer = setTimeout(() => {
      host
        .run(
          'tryPruning',
          { choices, seed },
          {
            signal: controller.signal,
            onEvent: (outcome) =>
              outcomes.set(keyOf(outcome), {
                threshold: outcome.threshold,
                zeros: outcome.zeros,
                bytes: outcome.bytes[encoding],
              }),
          },
        )
        .then(
          () => setKnown({ plan, outcomes }),
          // The estimates stay; pruning itself tells what is wrong.
          () => undefined,
        );
    }, restMs);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [plan, blobs]);
  return known?.plan === plan ? known.outcomes : undefined;
}
