import { basename } from 'node:path';
import * as vscode from 'vscode';
import { runJob } from '../editor/runJob';
import type { CommandContext } from './context';

/** Makes a small Caffe project to try everything on: digits, a LeNet and its model. */
export async function createSample(context: CommandContext): Promise<void> {
  const workspace = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file')?.uri;
  const [parent] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Choose where to create the sample project'),
      openLabel: vscode.l10n.t('Create Here'),
      canSelectFiles: false,
      canSelectFolders: true,
      defaultUri: workspace,
    })) ?? [];
  if (!parent) return;
  const folder = vscode.Uri.joinPath(parent, 'caffe-sample').fsPath;
  const files = await runJob(vscode.l10n.t('Creating the sample project'), context.log, (signal) =>
    context.worker.start('createSample', { folder, replace: false }, signal),
  );
  if (!files) return;
  const open = vscode.l10n.t('Open Folder');
  const message = vscode.l10n.t('The sample project is in {0}.', basename(folder));
  if ((await vscode.window.showInformationMessage(message, open)) === open) {
    await vscode.commands.executeCommand('vscode.openFolder', vscode.Uri.file(folder), {
      forceNewWindow: true,
    });
  }
}
