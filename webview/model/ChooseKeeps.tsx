import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ChosenKeeps, Progress, SweepFigures } from '../../src/protocol';
import { Button, NumberField, parsePercent, Select } from '../controls';
import { formatPercent, formatValue } from '../format';
import { t } from '../l10n';
import { useDispatch, useModel } from './context';
import { formatAccuracy } from './EvaluateView';
import { useLongJob } from './longJob';
import { Failure, ProgressLine } from './RunFiles';
import { type Goal, goalOf, layerKeeps } from './sweepForm';

/** Chooses keep ratios from the curves and hands them to the pruning panel. */
export function ChooseKeeps({ figures }: { figures: SweepFigures }): JSX.Element {
  const dispatch = useDispatch();
  const form = useModel((state) => state.kept.sweep);
  const job = useLongJob(
    'chooseKeeps',
    (): Progress | undefined => undefined,
    (_, event) => event,
  );
  const classifies = figures.baseline.accuracy !== undefined;
  const goals: [Goal, string][] = [
    [
      'each',
      classifies ? t('Each layer alone loses at most') : t('Each layer alone adds to the loss at most'),
    ],
    ['drop', classifies ? t('All together lose at most') : t('All together add to the loss at most')],
    ['kept', t('All together keep at most')],
  ];
  const unit = form.goal === 'kept' ? t('% of the weights') : classifies ? t('points of accuracy') : '%';
  const amount = form.goal === 'kept' ? form.kept : form.drop;
  return (
    <section aria-label={t('Use these')}>
      <h2>{t('Use these')}</h2>
      <div class="tools">
        <Select
          label={t('What is wanted')}
          value={form.goal}
          options={goals}
          disabled={job.running}
          onChange={(goal) => dispatch({ kind: 'sweep', form: { goal } })}
        />
        <NumberField
          value={amount}
          min={0}
          max={1}
          step={form.goal === 'kept' ? 0.01 : 0.001}
          label={unit}
          format={(value) => formatValue(100 * value, 4)}
          parse={parsePercent}
          disabled={job.running}
          onInput={(value) =>
            dispatch({ kind: 'sweep', form: form.goal === 'kept' ? { kept: value } : { drop: value } })
          }
        />
        {unit}
        {job.running ? (
          <Button icon="debug-stop" onClick={() => job.steer('cancel')}>
            {t('Cancel')}
          </Button>
        ) : (
          <Button onClick={() => job.start({ goal: goalOf(form) })}>{t('Choose Keep Ratios')}</Button>
        )}
      </div>
      <p class="muted">
        {form.goal === 'each'
          ? t('For each layer the sparsest point within the tolerance. Pruned together, layers lose more.')
          : t(
              'From the curves, step by step where most weights go for the least loss; then the net so pruned is evaluated, since layers interact.',
            )}
      </p>
      {job.running && <ProgressLine progress={job.told} />}
      <Failure text={job.error} />
      {job.result && !job.running && <Choice choice={job.result} figures={figures} />}
    </section>
  );
}

function Choice({ choice, figures }: { choice: ChosenKeeps; figures: SweepFigures }): JSX.Element {
  const dispatch = useDispatch();
  const layers = useModel((state) => state.layers);
  const [used, setUsed] = useState(false);
  const { baseline } = figures;
  const { verified } = choice;
  const keeps = [...new Set(figures.figures.map(({ layer }) => layer))].map(
    (layer) => [layer, choice.keeps[layer] ?? 1] as const,
  );
  const pruned = keeps.filter(([, keep]) => keep < 1);
  return (
    <div class="choice" role="status">
      {verified && (
        <dl class="outcome">
          <div>
            <dt>{t('Weights kept')}</dt>
            <dd>{formatPercent(verified.kept)}</dd>
          </div>
          {baseline.accuracy !== undefined && verified.accuracy !== undefined ? (
            <>
              <div>
                <dt>{t('Accuracy predicted')}</dt>
                <dd>{formatAccuracy(baseline.accuracy - verified.expectedDrop)}</dd>
              </div>
              <div>
                <dt>{t('Accuracy measured')}</dt>
                <dd>
                  <b>{formatAccuracy(verified.accuracy)}</b>
                </dd>
              </div>
              <div>
                <dt>{t('Whole net')}</dt>
                <dd>{formatAccuracy(baseline.accuracy)}</dd>
              </div>
            </>
          ) : (
            <>
              <div>
                <dt>{t('Loss predicted')}</dt>
                <dd>{formatValue(baseline.loss * (1 + verified.expectedDrop), 4)}</dd>
              </div>
              <div>
                <dt>{t('Loss measured')}</dt>
                <dd>
                  <b>{formatValue(verified.loss, 4)}</b>
                </dd>
              </div>
            </>
          )}
        </dl>
      )}
      {verified && !verified.met && (
        <p class="banner warning">
          {t('No point that was measured goes so far: this is the nearest. Sweep smaller keep ratios.')}
        </p>
      )}
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">{t('Layer')}</th>
            <th scope="col">{t('Keep')}</th>
          </tr>
        </thead>
        <tbody>
          {keeps.map(([layer, keep]) => (
            <tr key={layer}>
              <th scope="row">{layer}</th>
              <td>{keep < 1 ? formatPercent(keep) : t('whole')}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="tools">
        <Button
          appearance="primary"
          icon="check"
          disabled={pruned.length === 0}
          onClick={() => {
            dispatch({
              kind: 'plan.keeps',
              keeps: layerKeeps(choice.keeps, layers),
              bySaliency: figures.ranking === 'saliency',
            });
            setUsed(true);
          }}
        >
          {t('Use These Keep Ratios')}
        </Button>
        {pruned.length === 0 && <span class="muted">{t('Nothing can be pruned within that.')}</span>}
        {used && (
          <span>
            {t('The Prune panel has them.')}{' '}
            <Button appearance="secondary" onClick={() => dispatch({ kind: 'show', view: 'prune' })}>
              {t('Show the Prune Panel')}
            </Button>
          </span>
        )}
      </div>
    </div>
  );
}
