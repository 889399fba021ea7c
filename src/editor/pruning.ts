import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { WorkerJobs } from '../protocol';
import type { WorkerClient } from '../worker/client';
import { translated } from './translated';

/** The editor for models, by the name that package.json gives it. */
export const modelViewType = 'caffePruner.model';

/**
 * Asks what to do where outputs of pruning `path` are there already; nothing is asked when none is.
 * @returns undefined when the user thought better of it
 */
export async function askExisting(
  worker: WorkerClient,
  path: string,
): Promise<WorkerJobs['prune']['params']['existing'] | undefined> {
  const files = await worker.run('existingOutputs', { path });
  if (files.length === 0) return 'refuse';
  const replace = vscode.l10n.t('Replace');
  const keepBoth = vscode.l10n.t('Keep Both');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('{0} was pruned before.', basename(path)),
    { modal: true, detail: files.map((file) => basename(file)).join('\n') },
    replace,
    keepBoth,
  );
  return answer === replace ? 'replace' : answer === keepBoth ? 'keepBoth' : undefined;
}

/** Says what pruning made, and offers to open it. */
export async function offerResult({
  outputs,
  recipe,
  warnings,
}: WorkerJobs['prune']['result']): Promise<void> {
  const { count, zerosAfter, bytes } = recipe.totals;
  const open = vscode.l10n.t('Open Pruned Model');
  const summary = vscode.l10n.t(
    '{0}: {1} % zeros, {2}× smaller as {3}.',
    basename(outputs.dense),
    (count === 0 ? 0 : (100 * zerosAfter) / count).toFixed(1),
    (bytes.dense / Math.max(1, bytes[recipe.encoding])).toFixed(1),
    basename(outputs.sparse),
  );
  const said = warnings.slice(0, 2).map(translated);
  const message =
    said.length === 0
      ? summary
      : vscode.l10n.t(
          '{0} Warning: {1}.',
          summary,
          said.reduce((before, next) => vscode.l10n.t('{0}; {1}', before, next)),
        );
  const show = warnings.length > 0 ? vscode.window.showWarningMessage : vscode.window.showInformationMessage;
  if ((await show(message, open)) === open) await openModel(vscode.Uri.file(outputs.dense));
}

/** Opens a file in the editor for models: where it is open already, wherever that is. */
export async function openModel(uri: vscode.Uri): Promise<void> {
  const isIt = ({ input }: vscode.Tab) =>
    input instanceof vscode.TabInputCustom &&
    input.viewType === modelViewType &&
    input.uri.toString() === uri.toString();
  const group = vscode.window.tabGroups.all.find(({ tabs }) => tabs.some(isIt));
  await vscode.commands.executeCommand('vscode.openWith', uri, modelViewType, group?.viewColumn);
}
