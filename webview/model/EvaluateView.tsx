import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { EvaluateResult, Evaluation, KeptEvaluation, Progress } from '../../src/protocol';
import { Button } from '../controls';
import { formatCount, formatDate, formatShare, formatValue, noNumber } from '../format';
import { paragraph, t } from '../l10n';
import { Classify } from './Classify';
import { ConfusionTable } from './ConfusionTable';
import { useLongJob } from './longJob';
import { ItemLimit } from './ItemLimit';
import { Failure, ProgressLine, RunFilesForm, useRunFiles } from './RunFiles';
import { WrongItems } from './WrongItems';

/** What the model achieves on data, beside the models that it is compared with. */
export function EvaluateView(): JSX.Element {
  const { files, failure, choose } = useRunFiles();
  const [limited, setLimited] = useState(false);
  const [limit, setLimit] = useState(1000);
  const job = useLongJob(
    'evaluate',
    (): Progress | undefined => undefined,
    (_, event) => event,
  );
  const ready = files?.net !== undefined && (files.netHasData || files.data !== undefined);
  return (
    <div class="run">
      <section aria-label={t('What is evaluated')}>
        <Failure text={failure} />
        {files && <RunFilesForm files={files} fields={['net', 'data', 'compared']} choose={choose} />}
        <div class="tools">
          {job.running ? (
            <Button icon="debug-stop" onClick={() => job.steer('cancel')}>
              {t('Cancel')}
            </Button>
          ) : (
            <Button
              appearance="primary"
              icon="play"
              disabled={!ready}
              onClick={() => job.start(limited ? { limit } : {})}
            >
              {t('Evaluate')}
            </Button>
          )}
          <ItemLimit
            limited={limited}
            limit={limit}
            onChange={(on, items) => {
              setLimited(on);
              setLimit(items);
            }}
          />
        </div>
        {job.running && <ProgressLine progress={job.told} />}
        <Failure text={job.error} />
      </section>
      {job.result && <Results result={job.result} />}
      {files?.net !== undefined && <Classify />}
    </div>
  );
}

function Results({ result }: { result: EvaluateResult | KeptEvaluation }): JSX.Element {
  const { evaluations } = result;
  const [shown, setShown] = useState(0);
  const one = evaluations[shown] ?? evaluations[0];
  const missing = evaluations.filter((each) => each.missing.length > 0);
  return (
    <>
      {missing.map(({ model, missing: layers }) => (
        <p key={model} class="banner warning" role="alert">
          {t('{0} has no weights for {1}: these ran with random ones.', nameOf(model), layers.join(', '))}
        </p>
      ))}
      {result.notKept !== undefined && (
        <p class="banner warning" role="alert">
          {t('The figures could not be kept: {0}', result.notKept)}
        </p>
      )}
      {'kept' in result && result.kept.changed.length > 0 && (
        <p class="banner warning" role="alert">
          {t(
            '{0} changed since this was measured: evaluate again.',
            result.kept.changed.map(nameOf).join(', '),
          )}
        </p>
      )}
      <section aria-label={t('Results')}>
        <h2>{t('Results')}</h2>
        <div class="scroll" tabIndex={0}>
          <FiguresTable evaluations={evaluations} />
        </div>
        <p class="muted">
          {paragraph(
            t('Computed by {0}.', result.engine),
            'kept' in result && t('Evaluated on {0}.', formatDate(result.kept.at)),
            result.keptIn.length > 0 &&
              t('The figures are kept in {0}.', result.keptIn.map(nameOf).join(', ')),
          )}
        </p>
      </section>
      {one.classes && (
        <section aria-label={t('Classes')}>
          <h2>{t('Classes')}</h2>
          <ClassesTable evaluations={evaluations} />
        </section>
      )}
      {evaluations.length > 1 && one.classes && (
        <div class="segments" role="radiogroup" aria-label={t('Model')}>
          {evaluations.map(({ model }, i) => (
            <button
              key={model}
              type="button"
              role="radio"
              aria-checked={i === shown}
              onClick={() => setShown(i)}
            >
              {nameOf(model)}
            </button>
          ))}
        </div>
      )}
      {one.confusion && <ConfusionTable confusion={one.confusion} model={nameOf(one.model)} />}
      {one.wrong.length > 0 && <WrongItems key={one.model} evaluation={one} />}
    </>
  );
}

function FiguresTable({ evaluations }: { evaluations: readonly Evaluation[] }): JSX.Element {
  const [first] = evaluations;
  // A net with one loss gives it as an output too.
  const outputs = Object.keys(first.outputs).filter((name) => first.outputs[name] !== first.loss);
  const share = (value: number | undefined) => (value === undefined ? noNumber : formatAccuracy(value));
  return (
    <table class="figures">
      <thead>
        <tr>
          <th scope="col">{t('Model')}</th>
          <th scope="col">{t('Loss')}</th>
          <th scope="col">{t('Top-1')}</th>
          {first.top5 !== undefined && <th scope="col">{t('Top-5')}</th>}
          {outputs.map((name) => (
            <th key={name} scope="col">
              {name}
            </th>
          ))}
          <th scope="col">{t('Items')}</th>
          <th scope="col">{t('Items per second')}</th>
        </tr>
      </thead>
      <tbody>
        {evaluations.map(({ model, items, loss, top1, top5, outputs: values, seconds }) => (
          <tr key={model}>
            <th scope="row">{nameOf(model)}</th>
            <td>{loss === undefined ? noNumber : formatValue(loss, 4)}</td>
            <td>
              <b>{share(top1)}</b>
              <Change from={first.top1} to={top1} />
            </td>
            {first.top5 !== undefined && <td>{share(top5)}</td>}
            {outputs.map((name) => (
              <td key={name}>{formatValue(values[name], 4)}</td>
            ))}
            <td>{formatCount(items)}</td>
            <td>{formatCount(items / seconds)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The difference to the first model, in points of accuracy. */
function Change({ from, to }: { from: number | undefined; to: number | undefined }): JSX.Element | null {
  return from === to ? null : <span class="muted">{` ${formatPoints(from, to)}`}</span>;
}

function ClassesTable({ evaluations }: { evaluations: readonly Evaluation[] }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0}>
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">{t('Class')}</th>
            <th scope="col">{t('Items')}</th>
            {evaluations.map(({ model }) => (
              <th key={model} scope="col">
                {nameOf(model)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {evaluations[0].classes!.map(({ items }, label) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              <td>{formatCount(items)}</td>
              {evaluations.map(({ model, classes }) => {
                const { items: all, right } = classes?.[label] ?? { items: 0, right: 0 };
                const part = all > 0 ? right / all : 0;
                return (
                  <td key={model} class="part" style={{ '--part': `${100 * part}%` }}>
                    {all > 0 ? formatShare(part) : noNumber}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** An accuracy with the two digits that matter when models are compared. */
export const formatAccuracy = (accuracy: number): string => `${(100 * accuracy).toFixed(2)} %`;

/** The difference of two accuracies in points, with its sign. */
export function formatPoints(from: number | undefined, to: number | undefined): string {
  if (from === undefined || to === undefined) return '';
  const points = 100 * (to - from);
  return `${points > 0 ? '+' : points < 0 ? '−' : ''}${Math.abs(points).toFixed(2)}`;
}

/** Last part of a path. */
export const nameOf = (path: string): string => path.split(/[\\/]/).at(-1)!;
