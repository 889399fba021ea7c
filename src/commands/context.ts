import * as vscode from 'vscode';
import type { WorkerClient } from '../worker/client';

/** What commands work with. */
export interface CommandContext {
  /** The process for what takes long. */
  worker: WorkerClient;
  log: vscode.LogOutputChannel;
  /** Remembers choices between sessions. */
  memory: vscode.Memento;
}

/**
 * The files that a command is for: those selected in the explorer, else the one of the editor it was called from or that
 * is active, else the one that a dialog asks for.
 */
export async function chosenFiles(
  uri: vscode.Uri | undefined,
  selected: readonly vscode.Uri[] | undefined,
  extensions: readonly string[],
  dialogTitle: string,
): Promise<vscode.Uri[]> {
  const fits = ({ path }: vscode.Uri) => extensions.some((extension) => path.endsWith(`.${extension}`));
  if (selected && selected.length > 1) return selected.filter(fits);
  if (uri) return [uri];
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  if ((input instanceof vscode.TabInputCustom || input instanceof vscode.TabInputText) && fits(input.uri)) {
    return [input.uri];
  }
  const answer = await vscode.window.showOpenDialog({
    title: dialogTitle,
    canSelectMany: true,
    filters: { Caffe: extensions.map((extension) => extension.split('.').at(-1)!) },
  });
  return answer ?? [];
}

/** Whether the file is on this machine's disk, where jobs can write beside it; says so when it is not. */
export function isOnDisk(uri: vscode.Uri): boolean {
  if (uri.scheme === 'file') return true;
  void vscode.window.showErrorMessage(
    vscode.l10n.t('{0} is in a virtual folder: copy it to a disk first.', uri.path.split('/').at(-1) ?? ''),
  );
  return false;
}
