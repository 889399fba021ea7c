import * as vscode from 'vscode';
import { openModel } from '../editor/pruning';

/** Opens any file in the editor for models: Caffe models of old often have no extension. */
export async function openAsModel(uri?: vscode.Uri): Promise<void> {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  const active = input instanceof vscode.TabInputText ? input.uri : undefined;
  const [chosen] = uri
    ? [uri]
    : active
      ? [active]
      : ((await vscode.window.showOpenDialog({ title: vscode.l10n.t('Choose a Caffe model') })) ?? []);
  if (chosen) await openModel(chosen);
}
