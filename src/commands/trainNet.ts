import { basename } from 'node:path';
import * as vscode from 'vscode';
import { engineOptions } from '../editor/engine';
import { workspacePaths } from '../editor/localFile';
import { openModel } from '../editor/pruning';
import { runJob } from '../editor/runJob';
import { Steering } from '../rpc';
import { chosenFiles, type CommandContext, isOnDisk } from './context';

/**
 * Trains a net as its solver says, from what its fillers give, with progress in a notification. To cancel it is to stop it
 * early: it leaves a snapshot of how far it came, from which Caffe, or the terminal, can go on.
 */
export async function trainNet(context: CommandContext, uri?: vscode.Uri): Promise<void> {
  const title = vscode.l10n.t('Choose a solver');
  const [solver] = (await chosenFiles(uri, undefined, ['prototxt'], title)).filter(isOnDisk);
  if (!solver) return;
  const params = {
    solverFile: solver.fsPath,
    workspaceFolders: workspacePaths(),
    engine: engineOptions(),
  };
  const name = basename(solver.fsPath);
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
      yield { ...step.value, message: [message, ...figures].join(', ') };
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

const accuracyText = (accuracy: number) => vscode.l10n.t('{0} % right', (100 * accuracy).toFixed(2));
