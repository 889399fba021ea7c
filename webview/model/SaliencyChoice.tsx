import type { JSX } from 'preact';
import type { PageJobs, Progress } from '../../src/protocol';
import { Button, Select } from '../controls';
import { paragraph, t } from '../l10n';
import { useDispatch, useModel } from './context';
import { useLongJob } from './longJob';
import type { PlanState } from './plan';
import { Failure, ProgressLine, RunFilesForm, useRunFiles } from './RunFiles';

/** The saliencies beside the model, and the job that measures them. */
export function useSaliency(): ReturnType<typeof useLongJob<'saliency', Progress | undefined>> {
  // A file that was written by the terminal, or removed, counts too.
  const companionsChanged = useModel((state) => state.companionsChanged);
  return useLongJob(
    'saliency',
    (): Progress | undefined => undefined,
    (_, event) => event,
    companionsChanged,
  );
}

/** The net and the data that they are measured with. */
function MeasuredWith(): JSX.Element | null {
  const { files, choose } = useRunFiles();
  return files ? <RunFilesForm files={files} fields={['net', 'trainData']} choose={choose} /> : null;
}

/** Whether they can be pruned by. */
export const isUsable = (saliency: PageJobs['saliency']['result']): boolean =>
  saliency !== undefined && !saliency.outdated;

/** Chooses by what the weights are ranked; saliencies are measured here when they are wanted. */
export function SaliencyChoice(props: {
  plan: PlanState;
  saliency: ReturnType<typeof useSaliency>;
}): JSX.Element {
  const { plan, saliency } = props;
  const { running, told, result, error } = saliency;
  const dispatch = useDispatch();
  const trusted = useModel((state) => state.trusted);
  return (
    <div class="saliency">
      <div class="tools">
        <label class="field">
          {t('Rank weights by')}
          <Select
            label={t('Rank weights by')}
            value={plan.bySaliency ? 'saliency' : 'magnitude'}
            options={[
              ['magnitude', t('magnitude')],
              ['saliency', t('saliency: what the loss would gain')],
            ]}
            onChange={(by) => dispatch({ kind: 'plan.saliency', bySaliency: by === 'saliency' })}
          />
        </label>
        {plan.bySaliency &&
          (running ? (
            <Button icon="debug-stop" onClick={() => saliency.steer('cancel')}>
              {t('Cancel')}
            </Button>
          ) : (
            <Button
              icon="beaker"
              appearance={isUsable(result) ? 'secondary' : 'primary'}
              disabled={!trusted}
              onClick={() => saliency.start({})}
            >
              {result ? t('Measure Again') : t('Measure')}
            </Button>
          ))}
      </div>
      {plan.bySaliency && (
        <>
          <p class="muted">
            {paragraph(
              t(
                'Second order, by the diagonal empirical Fisher information (Optimal Brain Damage), on the data that the net is trained on.',
              ),
              isUsable(result) && t('Measured: {0}.', result!.file),
            )}
          </p>
          <MeasuredWith />
          {running && <ProgressLine progress={told} />}
          <Failure
            text={
              error ??
              (result?.outdated ? t('The model changed since its saliency was measured.') : undefined)
            }
          />
        </>
      )}
    </div>
  );
}
