import * as vscode from 'vscode';
import { ModelEditor } from './editor/modelEditor';
import { registerLanguage } from './language';
import { WorkerClient } from './worker/client';

/** Wires the rooms together, nothing else. */
export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('Caffe Pruner', { log: true });
  const script = vscode.Uri.joinPath(context.extensionUri, 'dist', 'worker.js').fsPath;
  const worker = () => new WorkerClient({ script, log: (line) => log.info(line) });
  /** Pages ask `viewer`, so that they stay answered while `laborer` prunes or trains. */
  const [viewer, laborer] = [worker(), worker()];
  context.subscriptions.push(
    log,
    registerLanguage(context, viewer, log),
    viewer,
    laborer,
    vscode.window.registerCustomEditorProvider(
      ModelEditor.viewType,
      new ModelEditor(context.extensionUri, viewer, log),
      { supportsMultipleEditorsPerDocument: true },
    ),
  );
}
