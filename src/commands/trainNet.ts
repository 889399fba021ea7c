import { basename } from 'node:path';
import * as vscode from 'vscode';
import { engineOptions } from '../editor/engine';
import { workspacePaths } from '../editor/localFile';
import { openModel } from '../editor/pruning';
import { runJob, showError } from '../editor/runJob';
import type { WorkerJobs } from '../protocol';
import { listed } from '../phrase';
import { Steering } from '../rpc';
import { chosenFiles, type CommandContext, isOnDisk } from './context';

/**
 * Trains a net as its solver says, from what its fillers give or from a snapshot that an earlier training left, with
 * progress in a notification. To cancel it is to stop it early: it leaves a snapshot of how far it came, from which it,
 * and Caffe, can go on.
 */
export async function trainNet(context: CommandContext, uri?: vscode.Uri): Promise<void> {
  const title = vscode.l10n.t('Choose a solver');
  const [solver] = (await chosenFiles(uri, undefined, ['prototxt'], title)).filter(isOnDisk);
  if (!solver) return;
  const source = { solverFile: solver.fsPath, workspaceFolders: workspacePaths() };
  const name = basename(solver.fsPath);
  const beginning = await askBeginning(context, source);
  if (!beginning) return;
  const params = { ...source, ...beginning, engine: engineOptions() };
  const result = await runJob(vscode.l10n.t('Training {0}', name), context.log, async function* (signal) {
    const control = new Steering();
    signal.addEventListener('abort', () => control.steer('stop'));
    const job = context.worker.start('train', params, undefined, control);
    for (;;) {
      const step = await job.next();
      if (step.done) return step.value;
      const { message, smoothedLoss, test } = step.value;
      const figures = [
        ...(smoothedLoss === undefined ? [] : [vscode.l10n.t('loss {0}', smoothedLoss.toPrecision(3))]),
        ...(test?.accuracy === undefined ? [] : [accuracyText(test.accuracy)]),
      ];
      yield { ...step.value, message: listed([message, ...figures]) };
    }
  });
  if (!result) return;
  const { test, iterations, model, state } = result;
  const open = vscode.l10n.t('Open Model');
  const accuracy = test?.accuracy === undefined ? '' : `, ${accuracyText(test.accuracy)}`;
  const message = vscode.l10n.t(
    '{0}: {1} iterations{2}. The training can go on from {3}.',
    basename(model),
    iterations,
    accuracy,
    basename(state),
  );
  if ((await vscode.window.showInformationMessage(message, open)) === open) {
    await openModel(vscode.Uri.file(model));
  }
}

/** Where to begin, where an earlier training left snapshots; undefined when the user thinks better of it. */
async function askBeginning(
  { worker, log }: CommandContext,
  source: WorkerJobs['snapshots']['params'],
): Promise<{ resume?: string } | undefined> {
  try {
    const snapshots = await worker.run('snapshots', source);
    if (snapshots.length === 0) return {};
    const items = [
      ...snapshots.map(({ state, iteration }) => ({
        label: vscode.l10n.t('Go On from Iteration {0}', iteration),
        description: basename(state),
        resume: state,
      })),
      {
        label: vscode.l10n.t('Train from Scratch'),
        detail: vscode.l10n.t('Replaces the snapshots of the same iterations'),
        resume: undefined,
      },
    ];
    const title = vscode.l10n.t('An earlier training of {0} left snapshots', basename(source.solverFile));
    const answer = await vscode.window.showQuickPick(items, { title });
    return answer && { resume: answer.resume };
  } catch (error) {
    await showError(error, log);
    return undefined;
  }
}

const accuracyText = (accuracy: number) => vscode.l10n.t('{0} % right', (100 * accuracy).toFixed(2));
