import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Progress, RunFile, RunFiles, TrainingData } from '../../src/protocol';
import { Button, Icon } from '../controls';
import { formatShare } from '../format';
import { host } from '../host';
import { reasonOf, t, translated } from '../l10n';
import { useModel } from './context';
import { dataRow } from './dataRow';

/** The files that the model is run with, and how to choose others. */
export function useRunFiles(): {
  files: RunFiles | undefined;
  failure: string | undefined;
  choose: (what: RunFile) => void;
  refresh: () => void;
} {
  const trusted = useModel((state) => state.trusted);
  const companionsChanged = useModel((state) => state.companionsChanged);
  const [files, setFiles] = useState<RunFiles | undefined>(undefined);
  const [failure, setFailure] = useState<string | undefined>(undefined);
  const take = (answer: Promise<RunFiles>) =>
    answer.then(
      (result) => {
        setFiles(result);
        setFailure(undefined);
      },
      (error: unknown) => setFailure(reasonOf(error)),
    );
  const refresh = () => void take(host.run('runFiles', undefined));
  useEffect(refresh, [trusted, companionsChanged]);
  return { files, failure, choose: (what) => void take(host.run('chooseFile', { what })), refresh };
}

/** What is known of the data of a retraining with these files; undefined until it is, and where they cannot be read. */
export function useTrainingData(files: RunFiles | undefined): TrainingData | undefined {
  const [known, setKnown] = useState<TrainingData | undefined>(undefined);
  useEffect(() => {
    if (files?.net === undefined) return undefined;
    const controller = new AbortController();
    const { signal } = controller;
    host.run('trainingData', undefined, { signal }).then(
      (found) => setKnown(found),
      // The retraining itself tells what is wrong with its files.
      () => {
        if (!signal.aborted) setKnown(undefined);
      },
    );
    return () => controller.abort();
  }, [files]);
  return known;
}

/** The chosen files, each with a button to change it. */
export function RunFilesForm(props: {
  files: RunFiles;
  fields: readonly RunFile[];
  choose: (what: RunFile) => void;
  /** What is known of the data, where they are a retraining's. */
  known?: TrainingData;
}): JSX.Element {
  const { files, fields, choose, known } = props;
  const trains = fields.includes('trainData');
  const rows: Record<RunFile, { title: string; value: string | undefined; lacking?: string }> = {
    net: { title: t('Net'), value: files.net, lacking: t('none chosen') },
    trainData: { title: t('Training data'), ...dataRow(files, files.trainData, trains, known?.train) },
    data: {
      title: trains ? t('Test data') : t('Data'),
      ...dataRow(files, files.data, trains, known?.test),
    },
    solver: {
      title: t('Solver'),
      value: files.solver ?? t('a default one: SGD at a small rate'),
    },
    compared: {
      title: t('Compare with'),
      value: files.compared.length > 0 ? files.compared.join(', ') : t('no other model'),
    },
  };
  return (
    <dl class="run-files">
      {fields.map((field) => (
        <div key={field}>
          <dt>{rows[field].title}</dt>
          <dd title={rows[field].value}>
            {rows[field].value ?? <span class="lacking">{rows[field].lacking}</span>}
          </dd>
          <Button
            appearance="icon"
            icon="edit"
            label={t('Choose: {0}', rows[field].title)}
            onClick={() => choose(field)}
          />
        </div>
      ))}
      <div>
        <dt>{t('Engine')}</dt>
        <dd>{files.engine}</dd>
      </div>
    </dl>
  );
}

/** How far a job is. */
export function ProgressLine({ progress }: { progress: Progress | undefined }): JSX.Element {
  const fraction = progress?.fraction ?? 0;
  const left = progress?.secondsLeft;
  return (
    <div class="progress-line">
      <div
        role="progressbar"
        aria-label={t('Progress')}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(100 * fraction)}
      >
        <i style={{ width: `${100 * fraction}%` }} />
      </div>
      <p>
        {formatShare(Number(fraction.toFixed(3)))}
        {progress && ` · ${translated(progress.message)}`}
        {left !== undefined && left >= 1 && ` · ${formatLeft(left)}`}
      </p>
    </div>
  );
}

const formatLeft = (seconds: number): string =>
  seconds < 90 ? t('{0} s left', Math.round(seconds)) : t('{0} min left', Math.round(seconds / 60));

/** Why a job cannot be had, or failed. */
export const Failure = ({ text }: { text: string | undefined }): JSX.Element | null =>
  text === undefined ? null : (
    <p class="banner warning" role="alert">
      <Icon name="warning" />
      {text}
    </p>
  );
