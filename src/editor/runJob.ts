import * as vscode from 'vscode';
import type { Part } from '../phrase';
import { isCancelled, toErrorValue } from '../rpc';
import { translated } from './translated';

/** What the long jobs yield. */
interface Progress {
  fraction: number;
  message: Part;
  secondsLeft?: number;
}

/**
 * Follows a job in a notification with progress, the time left and a button to cancel. What goes wrong is shown.
 * @returns the job's result, or undefined when it was cancelled or failed
 */
export async function runJob<Result>(
  title: string,
  log: vscode.LogOutputChannel,
  start: (signal: AbortSignal) => AsyncGenerator<Progress, Result, void>,
): Promise<Result | undefined> {
  try {
    return await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title, cancellable: true },
      async (progress, token) => {
        const controller = new AbortController();
        token.onCancellationRequested(() => controller.abort());
        const job = start(controller.signal);
        let shown = 0;
        for (;;) {
          const step = await job.next();
          if (step.done) return step.value;
          const percent = Math.floor(step.value.fraction * 100);
          progress.report({ increment: percent - shown, message: describe(step.value) });
          shown = percent;
        }
      },
    );
  } catch (error) {
    if (!isCancelled(error)) await showError(error, log);
    return undefined;
  }
}

function describe({ message, secondsLeft }: Progress): string {
  const text = translated(message);
  if (secondsLeft === undefined || secondsLeft < 2) return text;
  const left =
    secondsLeft < 90
      ? vscode.l10n.t('{0} s left', Math.round(secondsLeft))
      : vscode.l10n.t('{0} min left', Math.round(secondsLeft / 60));
  return text ? `${text} · ${left}` : left;
}

/** Shows an error; one that is a defect of ours goes to the log with its stack, which the message offers to open. */
export async function showError(error: unknown, log: vscode.LogOutputChannel): Promise<void> {
  const { text: said, kind, stack } = toErrorValue(error);
  const text = translated(said);
  if (kind === 'user') {
    await vscode.window.showErrorMessage(text);
    return;
  }
  log.error(stack ?? text);
  const showLog = vscode.l10n.t('Show Log');
  const message = vscode.l10n.t('Caffe Pruner failed unexpectedly: {0}', text);
  if ((await vscode.window.showErrorMessage(message, showLog)) === showLog) log.show();
}
