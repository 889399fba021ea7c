import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { Phrase } from '../../src/phrase';
import type { PageJobs } from '../../src/protocol';
import { isCancelled } from '../../src/rpc';
import { Button, Icon } from '../controls';
import { host } from '../host';
import { reasonOf, t, translated } from '../l10n';
import { useModel } from './context';
import { type PlannedBlob, type PlanState, toPlan } from './plan';

type Run =
  | { phase: 'running'; progress: PageJobs['prune']['event'] }
  | { phase: 'done'; text: string; warnings: Phrase[] }
  | { phase: 'failed'; text: string };

/** The button that prunes, how far it is, and what came of it. */
export function PruneRun({
  plan,
  blobs,
  lacksSaliency,
}: {
  plan: PlanState;
  blobs: readonly PlannedBlob[];
  /** The plan ranks by saliencies that are not there. */
  lacksSaliency: boolean;
}): JSX.Element {
  const trusted = useModel((state) => state.trusted);
  const damaged = useModel((state) => (state.summary?.damage.length ?? 0) > 0);
  const stale = useModel((state) => state.stale !== undefined);
  const [run, setRun] = useState<Run | undefined>(undefined);
  const controller = useRef<AbortController | undefined>(undefined);
  const chosen = blobs.filter((blob) => blob.chosen).length;

  const start = async () => {
    controller.current = new AbortController();
    const { signal } = controller.current;
    setRun({ phase: 'running', progress: { fraction: 0, message: '' } });
    try {
      const onEvent = (progress: PageJobs['prune']['event']) => setRun({ phase: 'running', progress });
      const result = await host.run('prune', toPlan(plan, blobs), { signal, onEvent });
      const text =
        result && t('Written beside the model: {0}', Object.values(result.outputs).map(nameOf).join(', '));
      setRun(text === undefined ? undefined : { phase: 'done', text, warnings: result?.warnings ?? [] });
    } catch (error) {
      setRun(isCancelled(error) ? undefined : { phase: 'failed', text: reasonOf(error) });
    }
  };

  const reason = !trusted
    ? t('Pruning writes files: it waits until you trust this workspace.')
    : damaged
      ? t('A damaged model is not pruned.')
      : chosen === 0
        ? t('Choose at least one layer.')
        : lacksSaliency
          ? t('Measure the saliency first.')
          : undefined;
  return (
    <div class="prune-run">
      {run?.phase === 'running' ? (
        <div class="tools" role="status">
          <progress value={run.progress.fraction} max={1} aria-label={t('Pruning')} />
          <span class="muted">{translated(run.progress.message)}</span>
          <Button onClick={() => controller.current?.abort()}>{t('Cancel')}</Button>
        </div>
      ) : (
        <div class="tools">
          <Button appearance="primary" disabled={reason !== undefined || stale} onClick={() => void start()}>
            {t('Prune')}
          </Button>
          <span class="muted">{reason}</span>
        </div>
      )}
      <div role="status">
        {run?.phase === 'done' && (
          <>
            <p>
              <Icon name="pass" /> {run.text}
            </p>
            {run.warnings.map((warning) => (
              <p key={translated(warning)}>
                <Icon name="warning" /> {translated(warning)}
              </p>
            ))}
          </>
        )}
        {run?.phase === 'failed' && (
          <p>
            <Icon name="error" /> {run.text}
          </p>
        )}
      </div>
    </div>
  );
}

const nameOf = (path: string): string => path.split(/[\\/]/).at(-1) ?? path;
