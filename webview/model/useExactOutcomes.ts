import { useEffect, useState } from 'preact/hooks';
import { host } from '../host';
import { type Estimate, keyOf, type PlannedBlob, type PlanState, toPlan } from './plan';

/** How long after the last change the exact numbers are asked for: estimates follow a slider, these its release. */
const restMs = 350;

/** Exactly what the plan makes of each blob, once the plan has rested; undefined until then. */
export function useExactOutcomes(
  plan: PlanState,
  blobs: readonly PlannedBlob[],
  /** When the saliencies to rank by were measured; undefined where there are none. */
  saliency: number | undefined,
): ReadonlyMap<string, Estimate> | undefined {
  const [known, setKnown] = useState<
    { plan: PlanState; saliency: number | undefined; outcomes: Map<string, Estimate> } | undefined
  >(undefined);
  useEffect(() => {
    const { encoding, ...rest } = toPlan(plan, blobs);
    if (rest.choices.length === 0 || (rest.bySaliency && saliency === undefined)) return undefined;
    const controller = new AbortController();
    const outcomes = new Map<string, Estimate>();
    const timer = setTimeout(() => {
      host
        .run('tryPruning', rest, {
          signal: controller.signal,
          onEvent: (outcome) =>
            outcomes.set(keyOf(outcome), {
              threshold: outcome.threshold,
              zeros: outcome.zeros,
              bytes: outcome.bytes[encoding],
            }),
        })
        .then(
          () => setKnown({ plan, saliency, outcomes }),
          // The estimates stay; pruning itself tells what is wrong.
          () => undefined,
        );
    }, restMs);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [plan, blobs, saliency]);
  return known?.plan === plan && known.saliency === saliency ? known.outcomes : undefined;
}
