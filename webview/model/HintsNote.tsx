import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { Button, Icon } from '../controls';
import { host } from '../host';
import { reasonOf, t } from '../l10n';
import { useDispatch, useModel } from './context';
import { type PlannedBlob, plannedBlobs, type PlanState, toPlan } from './plan';
import { hintsOfPlan, planOfHints } from './planHints';

/** How the plan stands to the hints of the paired prototxt, and the ways between the two. */
export function HintsNote({ plan, blobs }: { plan: PlanState; blobs: readonly PlannedBlob[] }): JSX.Element {
  const dispatch = useDispatch();
  const layers = useModel((state) => state.layers);
  const hints = useModel((state) => state.hints);
  const [written, setWritten] = useState<string | undefined>(undefined);
  const [error, setError] = useState<string | undefined>(undefined);
  const isAsHinted = useMemo(() => {
    if (!hints) return false;
    const hinted = planOfHints(plan, hints, layers);
    return choicesText(plan, blobs) === choicesText(hinted, plannedBlobs(hinted, layers));
  }, [plan, blobs, hints, layers]);
  const told = useMemo(() => hintsOfPlan(blobs), [blobs]);

  const write = async () => {
    setError(undefined);
    try {
      setWritten(await host.run('writeHints', { hints: told.hints }));
    } catch (error) {
      setError(reasonOf(error));
    }
  };
  useEffect(() => {
    // Old news once the plan or the hints went on.
    if (!isAsHinted) setWritten(undefined);
  }, [isAsHinted]);
  const said =
    error ??
    (isAsHinted && written !== undefined
      ? t('The hints were written to {0}, for you to save.', written)
      : undefined);

  return (
    <div class="hints">
      <div class="tools">
        {hints && (
          <span class="muted">
            <Icon name="comment" />{' '}
            {isAsHinted
              ? t('As the hints of {0} say', hints.file)
              : t('{0} has other pruning hints', hints.file)}
          </span>
        )}
        {hints && !isAsHinted && (
          <Button onClick={() => dispatch({ kind: 'takeHints' })}>{t('Take the Hints')}</Button>
        )}
        {hints && isAsHinted && (
          <Button onClick={() => dispatch({ kind: 'plan.reset' })}>{t('Back to Defaults')}</Button>
        )}
        <Button disabled={isAsHinted || told.hints.length === 0} onClick={() => void write()}>
          {t('Write Hints to Prototxt')}
        </Button>
      </div>
      <p class="muted" role="status">
        {said}
        {said !== undefined && told.untold > 0 && ' '}
        {told.untold > 0 &&
          t('Hints hold one rule for the weights of a layer: {0} other choices cannot be told.', told.untold)}
      </p>
    </div>
  );
}

const choicesText = (plan: PlanState, blobs: readonly PlannedBlob[]): string =>
  JSON.stringify(toPlan(plan, blobs).choices);
