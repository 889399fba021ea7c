import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Achieved, Measurement, RetrainResult } from '../../src/protocol';
import { LineChart } from '../charts/LineChart';
import { Button, Icon } from '../controls';
import { formatCount, formatShare, formatValue, noNumber } from '../format';
import { host } from '../host';
import { paragraph, t, translated } from '../l10n';
import { useModel } from './context';
import { formatAccuracy, nameOf } from './EvaluateView';
import { accuracyLines, lossLines, type RetrainTold, sparsityLines } from './retrainSeries';

/** What is known of the run at this moment. */
export function RetrainNumbers({ told }: { told: RetrainTold }): JSX.Element {
  const { loss, rate, baseline, measurements } = told;
  const now = measurements.at(-1);
  const figures: [string, string | undefined][] = [
    [t('Training loss'), loss === undefined ? undefined : formatValue(loss, 4)],
    [t('Rate'), rate === undefined ? undefined : formatValue(rate, 4)],
    [t('Test accuracy'), accuracyText(now?.test?.accuracy)],
    [t('Baseline, test'), accuracyText(baseline?.test?.accuracy)],
    [t('Weights kept'), now && formatShare(now.keep)],
  ];
  return (
    <dl class="numbers">
      {figures.map(([title, value]) => (
        <div key={title}>
          <dt>{title}</dt>
          <dd>{value ?? noNumber}</dd>
        </div>
      ))}
    </dl>
  );
}

const accuracyText = (accuracy: number | undefined) =>
  accuracy === undefined ? undefined : formatAccuracy(accuracy);

/** The loss, the accuracy and the sparsity over the iterations. */
export function RetrainCharts({ told }: { told: RetrainTold }): JSX.Element {
  const fileName = useModel((state) => state.summary?.name) ?? '';
  const count = told.measurements.length;
  // The events are gathered in place: what is drawn changes with their number.
  const accuracy = useMemo(() => accuracyLines(told), [told, count, told.baseline]);
  const sparsity = useMemo(() => sparsityLines(told), [told, count]);
  const common = { xLabel: t('Iteration'), formatX: formatCount };
  const name = (what: string) => [fileName, 'retraining', what].filter(Boolean).join('-');
  return (
    <section class="charts" aria-label={t('Charts')}>
      {accuracy.length > 0 && (
        <LineChart
          {...common}
          label={t('Accuracy')}
          fileName={name('accuracy')}
          yLabel={t('Accuracy')}
          lines={accuracy}
          formatY={formatAccuracy}
        />
      )}
      <LineChart
        {...common}
        label={t('Loss')}
        fileName={name('loss')}
        yLabel={t('Loss')}
        lines={lossLines(told)}
        formatY={(loss) => formatValue(loss, 3)}
      />
      {sparsity.length > 0 && (
        <LineChart
          {...common}
          label={t('Sparsity')}
          fileName={name('sparsity')}
          yLabel={t('Share of zeros')}
          lines={sparsity}
          formatY={formatShare}
        />
      )}
    </section>
  );
}

/** What came of a run: the figures beside the baseline's, and the files. */
export function RetrainOutcome({ result }: { result: RetrainResult }): JSX.Element {
  const { report, outputs, warnings } = result;
  const { best, last, baseline, choices, schedule } = report;
  const rows: [string, (Achieved & Partial<Measurement>) | undefined][] = [
    [t('Baseline'), baseline],
    [t('Best, which is written'), best],
    [t('Last'), last],
  ];
  const reached = best.test?.accuracy;
  const wanted = baseline.test?.accuracy;
  const tooMany =
    schedule.kind !== 'auto' &&
    best.layers.some(({ kept, count }, i) => kept > Math.ceil(count * choices[i].keep) + 1);
  return (
    <section aria-label={t('Result')}>
      <h2>{t('Result')}</h2>
      {tooMany && (
        <p class="banner warning" role="alert">
          <Icon name="warning" />
          {t('The run ended before the keep ratios were reached: more weights are left than were asked for.')}
        </p>
      )}
      <p role="status">
        {paragraph(
          reached !== undefined &&
            wanted !== undefined &&
            (reached >= wanted
              ? t(
                  'The test accuracy is back: {0}, and the baseline has {1}.',
                  formatAccuracy(reached),
                  formatAccuracy(wanted),
                )
              : t(
                  'The test accuracy is {0}, {1} points below the baseline.',
                  formatAccuracy(reached),
                  (100 * (wanted - reached)).toFixed(2),
                )),
          t('Written beside the model: {0}', Object.values(outputs).map(nameOf).join(', ')),
        )}
      </p>
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">{t('Weights')}</th>
            <th scope="col">{t('Iteration')}</th>
            <th scope="col">{t('Kept')}</th>
            {baseline.validation && <th scope="col">{t('Accuracy on what is held out')}</th>}
            <th scope="col">{t('Test accuracy')}</th>
            <th scope="col">{t('Test loss')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([title, figures]) => (
            <tr key={title}>
              <th scope="row">{title}</th>
              <td>{figures?.iteration === undefined ? noNumber : formatCount(figures.iteration)}</td>
              <td>{figures?.keep === undefined ? noNumber : formatShare(figures.keep)}</td>
              {baseline.validation && <td>{accuracyText(figures?.validation?.accuracy) ?? noNumber}</td>}
              <td>{accuracyText(figures?.test?.accuracy) ?? noNumber}</td>
              <td>{figures?.test ? formatValue(figures.test.loss, 4) : noNumber}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="muted">
        {paragraph(
          t('Computed by {0}.', report.engine),
          t('The whole history is in {0}.', nameOf(outputs.recipe)),
        )}
      </p>
      {warnings.map((warning) => (
        <p key={translated(warning)}>
          <Icon name="warning" /> {translated(warning)}
        </p>
      ))}
      <div class="tools">
        <Button icon="go-to-file" onClick={() => void host.run('openRetrained', undefined)}>
          {t('Open Result')}
        </Button>
      </div>
    </section>
  );
}
