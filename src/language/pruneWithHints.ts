import * as vscode from 'vscode';
import { findHints, readHints } from '../caffe/prototxt/hints';
import { askExisting, offerResult } from '../editor/pruning';
import { translated } from '../editor/translated';
import { runJob, showError } from '../editor/runJob';
import { sparseEncoding } from '../editor/settings';
import { choicesOfHints } from '../sparsity/hintChoices';
import type { WorkerClient } from '../worker/client';
import { chooseWeights } from './chooseWeights';
import { rangeOf, type Documents } from './documents';
import { activePrototxt, fileName, type PairedModels } from './pairedModels';

/** Of rules that draw random numbers; written into the recipe. */
const seed = 1;

/**
 * Prunes the model that is paired with a prototxt as the prototxt's hints say. Hints with mistakes are shown instead of being
 * left out in silence.
 */
export async function pruneWithHints(
  {
    documents,
    pairs,
    worker,
    log,
  }: {
    documents: Documents;
    pairs: PairedModels;
    worker: WorkerClient;
    log: vscode.LogOutputChannel;
  },
  uri?: vscode.Uri,
): Promise<void> {
  try {
    const document = uri ? await vscode.workspace.openTextDocument(uri) : activePrototxt();
    if (!document) return;
    const { prototxt } = documents.analysis(document);
    const hints = findHints(prototxt);
    const wrong = hints.find(({ problems }) => problems.length > 0);
    if (wrong) {
      await offerPlace(
        document,
        wrong.problems[0],
        vscode.l10n.t('A pruning hint is wrong: {0}', translated(wrong.problems[0].message)),
      );
      return;
    }
    if (hints.length === 0) {
      await vscode.window.showInformationMessage(
        vscode.l10n.t(
          '{0} has no pruning hints. Write one inside a layer, such as "# prune: keep=8%", or for all layers on top of the file: "# prune: default keep=10%".',
          fileName(document.uri),
        ),
      );
      return;
    }
    let pair = await pairs.of(document);
    if (!pair) {
      await chooseWeights(pairs, document);
      pair = await pairs.of(document);
    }
    if (!pair) return;
    const choices = choicesOfHints(pair.model, readHints(prototxt));
    const file = pair.uri.fsPath;
    if (choices.length === 0) {
      await vscode.window.showWarningMessage(
        vscode.l10n.t(
          'No hint of {0} speaks of a layer that {1} has weights of.',
          fileName(document.uri),
          fileName(pair.uri),
        ),
      );
      return;
    }
    const existing = await askExisting(worker, file);
    if (!existing) return;
    const title = vscode.l10n.t('Pruning {0}', fileName(pair.uri));
    const result = await runJob(title, log, (signal) =>
      worker.start('prune', { file, existing, encoding: sparseEncoding(), seed, choices }, signal),
    );
    if (result) await offerResult(result);
  } catch (error) {
    await showError(error, log);
  }
}

async function offerPlace(
  document: vscode.TextDocument,
  span: { start: number; end: number },
  message: string,
): Promise<void> {
  const show = vscode.l10n.t('Show');
  if ((await vscode.window.showErrorMessage(message, show)) !== show) return;
  await vscode.window.showTextDocument(document, { selection: rangeOf(document, span) });
}
