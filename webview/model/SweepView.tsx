import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { SweepChange, SweepEvent, SweepFigures } from '../../src/protocol';
import { sensitivityCsv } from '../../src/sparsity/sensitivity';
import { LineChart } from '../charts/LineChart';
import { Button, Checkbox, Icon, Select } from '../controls';
import { formatCount, formatPercent, formatValue, layersText } from '../format';
import { host } from '../host';
import { reasonOf, t } from '../l10n';
import { ChooseKeeps } from './ChooseKeeps';
import { useDispatch, useModel } from './context';
import { formatAccuracy } from './EvaluateView';
import { useLongJob } from './longJob';
import { ItemLimit } from './ItemLimit';
import { Failure, ProgressLine, RunFilesForm, useRunFiles } from './RunFiles';
import { settingsOf, sweepLines, sweepRequest, sweptLayers, type SweepSettings } from './sweepForm';
import { SweptLayers } from './SweptLayers';
import { SweepTable } from './SweepTable';

/** How sensitive each layer is to pruning: measured, drawn, and turned into keep ratios. */
export function SweepView(): JSX.Element {
  const layers = useModel((state) => state.layers);
  const form = useModel((state) => state.kept.sweep);
  const { files, failure, choose } = useRunFiles();
  const job = useLongJob(
    'sweep',
    (): SweepEvent | undefined => undefined,
    (_, event) => event,
  );
  const kept = useKeptFigures(job.running, files?.net);
  const live = job.running && job.told && job.told.baseline.items > 0 ? job.told : undefined;
  const shown = live ?? kept.figures;
  const swept = useMemo(
    () => sweptLayers(form, layers, shown?.figures ?? [], shown?.waiting ?? []),
    [form, layers, shown],
  );
  const settings = settingsOf(form, kept.figures, kept.changes);
  const start = (anew: boolean) => {
    if (anew) kept.forget();
    job.start(sweepRequest(swept, settings, anew));
  };
  return (
    <div class="run">
      <section aria-label={t('What is swept')}>
        <Failure text={failure} />
        {files && (
          <RunFilesForm
            files={files}
            fields={settings.ranking === 'saliency' ? ['net', 'trainData', 'data'] : ['net', 'data']}
            choose={choose}
          />
        )}
        <SweptLayers layers={swept} disabled={job.running} />
        <Settings settings={settings} disabled={job.running} />
        {job.running ? (
          <div class="tools">
            <Button icon="debug-stop" onClick={() => job.steer('cancel')}>
              {t('Cancel')}
            </Button>
          </div>
        ) : (
          <StartButtons
            layers={swept}
            figures={kept.figures}
            settings={settings}
            ready={files?.net !== undefined && (files.netHasData || files.data !== undefined)}
            start={start}
          />
        )}
        {job.running && <ProgressLine progress={job.told} />}
        <Failure text={job.error ?? kept.failure} />
        <Changes changes={kept.changes} />
      </section>
      {shown && shown.figures.length > 0 && (
        <section aria-label={t('Sensitivity')}>
          <Chart figures={shown} />
          <SweepTable figures={shown.figures} baseline={shown.baseline} />
        </section>
      )}
      {kept.figures && !job.running && kept.changes.length === 0 && (
        <ChooseKeeps key={kept.generation} figures={kept.figures} />
      )}
    </div>
  );
}

interface KeptFigures {
  figures: SweepFigures | undefined;
  changes: readonly SweepChange[];
  failure: string | undefined;
  /** Counts how often the figures were read. */
  generation: number;
  forget: () => void;
}

/** The figures that are kept beside the model: read again after each run, and when another net is chosen. */
function useKeptFigures(running: boolean, net: string | undefined): KeptFigures {
  type Known = Pick<KeptFigures, 'figures' | 'changes' | 'failure' | 'generation'>;
  const none: Known = { figures: undefined, changes: [], failure: undefined, generation: 0 };
  const [known, setKnown] = useState(none);
  const phase = useModel((state) => state.phase);
  useEffect(() => {
    if (running || phase === 'failed') return undefined;
    const controller = new AbortController();
    const { signal } = controller;
    let figures: SweepFigures | undefined;
    const take = (change: Partial<Known>) => {
      if (!signal.aborted) setKnown((before) => ({ ...before, failure: undefined, ...change }));
    };
    host
      .run('sweepFigures', undefined, { signal, onEvent: (event) => take({ figures: (figures = event) }) })
      .then(
        (changes) => take({ figures, changes }),
        (error: unknown) => take({ figures, changes: [], failure: reasonOf(error) }),
      );
    setKnown((before) => ({ ...before, generation: before.generation + 1 }));
    return () => controller.abort();
  }, [running, net, phase]);
  return { ...known, forget: () => setKnown({ ...none, generation: known.generation }) };
}

function Settings({ settings, disabled }: { settings: SweepSettings; disabled: boolean }): JSX.Element {
  const dispatch = useDispatch();
  const form = useModel((state) => state.kept.sweep);
  return (
    <div class="form">
      <span>
        <ItemLimit
          limited={settings.limit !== undefined}
          limit={settings.limit ?? form.limit}
          disabled={disabled}
          onChange={(limited, limit) => dispatch({ kind: 'sweep', form: { limited, limit } })}
        />
      </span>
      <label>
        {t('Ranking')}
        <Select
          label={t('Ranking of weights')}
          value={settings.ranking}
          options={[
            ['magnitude', t('by magnitude')],
            ['saliency', t('by second-order saliency')],
          ]}
          disabled={disabled}
          onChange={(ranking) => dispatch({ kind: 'sweep', form: { ranking } })}
        />
      </label>
      {settings.ranking === 'saliency' && (
        <span class="muted">
          {t(
            'What the loss would lose without a weight, measured on the training data (Optimal Brain Damage).',
          )}
        </span>
      )}
    </div>
  );
}

/** Starts, goes on, or starts anew, as the figures that are there allow. */
function StartButtons(props: {
  layers: ReturnType<typeof sweptLayers>;
  figures: SweepFigures | undefined;
  settings: SweepSettings;
  ready: boolean;
  start: (anew: boolean) => void;
}): JSX.Element {
  const { layers, figures, settings, ready, start } = props;
  const chosen = layers.filter((layer) => layer.chosen);
  const points = chosen.reduce((sum, { keeps }) => sum + keeps.length, 0);
  const measured = chosen.reduce((sum, layer) => sum + layer.measured, 0);
  const canGoOn = settings.goesOn && (measured < points || figures?.complete === false);
  const disabled = !ready || points === 0;
  return (
    <div class="tools">
      {figures === undefined ? (
        <Button appearance="primary" icon="play" disabled={disabled} onClick={() => start(false)}>
          {t('Sweep')}
        </Button>
      ) : (
        <>
          {settings.goesOn && (
            <Button
              appearance="primary"
              icon="play"
              disabled={disabled || !canGoOn}
              onClick={() => start(false)}
            >
              {t('Resume')}
            </Button>
          )}
          <Button
            appearance={settings.goesOn ? 'secondary' : 'primary'}
            icon="debug-restart"
            disabled={disabled}
            onClick={() => start(true)}
          >
            {t('Start Anew')}
          </Button>
        </>
      )}
      <span class="muted">
        {chosen.length === 0
          ? t('Choose at least one layer.')
          : settings.goesOn
            ? t('{0} of {1} keep ratios are measured.', formatCount(measured), formatCount(points))
            : t(
                '{0} in {1}',
                points === 1 ? t('1 keep ratio') : t('{0} keep ratios', formatCount(points)),
                layersText(chosen.length),
              )}
        {figures !== undefined && !settings.goesOn && ` · ${t('The figures below will be replaced.')}`}
      </span>
    </div>
  );
}

function Changes({ changes }: { changes: readonly SweepChange[] }): JSX.Element | null {
  if (changes.length === 0) return null;
  return (
    <p class="banner info" role="status">
      <Icon name="info" />
      {changes.includes('model')
        ? t('The model has changed since it was swept: these are the figures of the former one.')
        : t('The net has changed since the sweep, or is another one: its figures may not hold any more.')}
    </p>
  );
}

function Chart({ figures }: { figures: Pick<SweepFigures, 'figures' | 'baseline'> }): JSX.Element {
  const dispatch = useDispatch();
  const form = useModel((state) => state.kept.sweep);
  const name = useModel((state) => state.summary?.name);
  const classifies = figures.baseline.accuracy !== undefined;
  const measure = classifies ? form.measure : 'loss';
  const lines = useMemo(
    () => sweepLines(figures.figures, figures.baseline, measure, { whole: t('whole net') }),
    [figures, measure],
  );
  return (
    <>
      <div class="tools">
        {classifies && (
          <div class="segments" role="radiogroup" aria-label={t('What is drawn')}>
            {(['accuracy', 'loss'] as const).map((each) => (
              <button
                key={each}
                type="button"
                role="radio"
                aria-checked={each === measure}
                onClick={() => dispatch({ kind: 'sweep', form: { measure: each } })}
              >
                {each === 'accuracy' ? t('Accuracy') : t('Loss')}
              </button>
            ))}
          </div>
        )}
        <Checkbox
          checked={form.logarithmic}
          onChange={(logarithmic) => dispatch({ kind: 'sweep', form: { logarithmic } })}
        >
          {t('Logarithmic keep ratio')}
        </Checkbox>
      </div>
      <LineChart
        label={measure === 'accuracy' ? t('Accuracy by keep ratio') : t('Loss by keep ratio')}
        fileName={`${name?.replace(/[^\w.-]+/g, '-') || 'model'}.sweep`}
        xLabel={t('Keep ratio of the layer')}
        yLabel={measure === 'accuracy' ? t('Accuracy') : t('Loss')}
        lines={lines}
        logarithmic={form.logarithmic}
        formatX={formatPercent}
        formatY={measure === 'accuracy' ? formatAccuracy : (loss) => formatValue(loss, 4)}
        csv={() => sensitivityCsv(figures.figures)}
      />
    </>
  );
}
