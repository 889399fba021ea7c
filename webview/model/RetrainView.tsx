import type { JSX } from 'preact';
import { useContext, useEffect, useMemo, useState } from 'preact/hooks';
import type { RunFiles, TrainingData } from '../../src/protocol';
import { Button, Icon } from '../controls';
import { formatCount } from '../format';
import { paragraph, t } from '../l10n';
import { SessionContext, StoreContext, useDispatch, useModel } from './context';
import { useLongJob } from './longJob';
import { estimate, plannedBlobs } from './plan';
import { RetrainForm, scheduleTitle } from './RetrainForm';
import { isPruned, itemsJudgedOn, retrainedBlobs, toRetrainRequest } from './retrainPlan';
import { RetrainCharts, RetrainNumbers, RetrainOutcome } from './RetrainProgress';
import { foldRetrain, nothingTold } from './retrainSeries';
import { Failure, ProgressLine, RunFilesForm, useRunFiles, useTrainingData } from './RunFiles';
import { figuresAt } from './state';

/** Retrains the model under masks until its accuracy is back. */
export function RetrainView(): JSX.Element {
  const { files, failure, choose, refresh } = useRunFiles();
  const data = useTrainingData(files);
  const job = useLongJob('retrain', nothingTold, foldRetrain);
  const session = useContext(SessionContext);
  const hasNet = files?.net !== undefined;
  // What is pruned already shows in the zeros of all layers.
  useEffect(() => {
    if (hasNet) session.inspectAll();
  }, [hasNet]);
  // An interrupted run leaves a checkpoint, one that ended takes its own away.
  useEffect(refresh, [job.running]);
  return (
    <div class="run">
      <section aria-label={t('What is retrained')}>
        <Failure text={failure} />
        {files && (
          <RunFilesForm
            files={files}
            fields={['net', 'solver', 'trainData', 'data']}
            choose={choose}
            known={data}
          />
        )}
        <Failure text={job.error} />
        {job.running ? (
          <Running job={job} />
        ) : (
          files && <Choice files={files} data={data} start={job.start} />
        )}
      </section>
      {job.result && <RetrainOutcome result={job.result} />}
      {(job.running || job.result || job.told.measurements.length > 0) && <RetrainCharts told={job.told} />}
    </div>
  );
}

type Job = ReturnType<typeof useLongJob<'retrain', ReturnType<typeof nothingTold>>>;

/** How far the run is, and what can be done with it. */
function Running({ job: { told, steer } }: { job: Job }): JSX.Element {
  const [stopping, setStopping] = useState(false);
  const { last, baseline } = told;
  const paused = last?.paused === true && !stopping;
  const message = stopping
    ? t('stopping')
    : paused
      ? t('paused')
      : last && baseline
        ? t('iteration {0} of {1}', formatCount(last.iteration), formatCount(last.iterations))
        : t('measuring the baseline');
  return (
    <>
      <div class="tools">
        <Button
          icon={paused ? 'debug-continue' : 'debug-pause'}
          disabled={stopping}
          onClick={() => steer(paused ? 'resume' : 'pause')}
        >
          {paused ? t('Resume') : t('Pause')}
        </Button>
        <Button
          icon="debug-stop"
          disabled={stopping || !baseline}
          onClick={() => {
            setStopping(true);
            steer('stop');
          }}
        >
          {t('Stop and Keep the Best')}
        </Button>
        <Button onClick={() => steer('cancel')}>{t('Cancel')}</Button>
        <span class="muted">
          {t('You can go on working. Checkpoints are kept if this ends before its time.')}
        </span>
      </div>
      <ProgressLine
        progress={{
          fraction: last?.fraction ?? 0,
          message,
          secondsLeft: paused || stopping ? undefined : last?.secondsLeft,
        }}
      />
      <RetrainNumbers told={told} />
    </>
  );
}

/** How the model is to be retrained, and the buttons that begin, or go on with a run that was interrupted. */
function Choice(props: {
  files: RunFiles;
  data: TrainingData | undefined;
  start: Job['start'];
}): JSX.Element {
  const { files, data, start } = props;
  const store = useContext(StoreContext);
  const dispatch = useDispatch();
  const layers = useModel((state) => state.layers);
  const figures = useModel((state) => state.figures);
  const pruning = useModel((state) => state.kept.plan);
  const plan = useModel((state) => state.kept.retrain);
  const blobs = useMemo(() => {
    const figuresOf = (place: { layer: number; blob: number }) => figuresAt(store.get(), place);
    const planned = plannedBlobs(pruning, layers);
    const pruned = isPruned(planned, figuresOf);
    const outcomes = estimate(pruning, planned, figuresOf);
    return { pruned, all: retrainedBlobs(plan, planned, pruned ?? false, figuresOf, outcomes) };
  }, [pruning, plan, layers, figures]);
  const kind = plan.kind ?? (blobs.pruned ? 'oneShot' : 'gradual');
  const request = toRetrainRequest(plan, kind, blobs.all, pruning.encoding);
  const { checkpoint } = files;
  const reason =
    files.net === undefined
      ? t('Choose the net first: its prototxt.')
      : blobs.pruned === undefined
        ? t('The weights are being read.')
        : request.choices.length > 0
          ? undefined
          : blobs.all.some(({ chosen }) => chosen)
            ? t('All weights would stay: lower the keep ratio of a layer.')
            : t('Choose at least one layer.');
  const begin = (
    <Button
      appearance={checkpoint ? 'secondary' : 'primary'}
      icon="play"
      disabled={reason !== undefined}
      onClick={() => start(request)}
    >
      {checkpoint ? t('Start Anew') : t('Retrain')}
    </Button>
  );
  return (
    <>
      {checkpoint && (
        <div class="banner info" role="status">
          <Icon name="history" />
          <div>
            <p>
              {paragraph(
                checkpoint.run
                  ? t(
                      'A retraining of this model was interrupted after iteration {0} of {1} ({2}).',
                      formatCount(checkpoint.iteration),
                      formatCount(checkpoint.run.iterations),
                      scheduleTitle(checkpoint.run.schedule.kind),
                    )
                  : t(
                      'A retraining of this model was interrupted after iteration {0}.',
                      formatCount(checkpoint.iteration),
                    ),
                t('A run that is started anew takes its place.'),
              )}
            </p>
            <Button
              appearance="primary"
              icon="debug-continue"
              disabled={files.net === undefined}
              onClick={() => start({ ...(checkpoint.run ?? request), resume: true })}
            >
              {t('Go On from Iteration {0}', formatCount(checkpoint.iteration))}
            </Button>
          </div>
        </div>
      )}
      <RetrainForm
        plan={plan}
        kind={kind}
        blobs={blobs.all}
        pruned={blobs.pruned ?? false}
        judgedOn={itemsJudgedOn(plan, data)}
        change={(change) => dispatch({ kind: 'retrain', change })}
      />
      <div class="tools">
        {begin}
        <span class="muted">{reason}</span>
      </div>
    </>
  );
}
