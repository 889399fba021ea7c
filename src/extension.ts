import * as vscode from 'vscode';
import type { CommandContext } from './commands/context';
import { createSample } from './commands/createSample';
import { exportStatistics } from './commands/exportStatistics';
import { openAsModel } from './commands/openAsModel';
import { pruneModel } from './commands/pruneModel';
import { installTensorflow } from './commands/installTensorflow';
import { restoreModel } from './commands/restoreModel';
import { showView } from './commands/showView';
import { trainNet } from './commands/trainNet';
import { setTensorflowFolder } from './editor/engine';
import { ModelEditor } from './editor/modelEditor';
import { modelViewType } from './editor/pruning';
import { workerMegabytes } from './editor/settings';
import { registerLanguage } from './language';
import { WorkerClient } from './worker/client';

/** Wires the rooms together, nothing else. */
export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('Caffe Pruner', { log: true });
  const script = vscode.Uri.joinPath(context.extensionUri, 'dist', 'worker.js').fsPath;
  const worker = () =>
    new WorkerClient({ script, heapMegabytes: workerMegabytes, log: (line) => log.info(line) });
  /** Pages ask `viewer`, so that they stay answered while `laborer` prunes or trains. */
  const workers = { viewer: worker(), laborer: worker() };
  const commands: CommandContext = { worker: workers.laborer, log, memory: context.globalState };
  const command = <Args extends unknown[]>(
    name: string,
    run: (context: CommandContext, ...args: Args) => unknown,
  ) => vscode.commands.registerCommand(`caffePruner.${name}`, (...args: Args) => run(commands, ...args));
  const { language, hints } = registerLanguage(context, workers, log);
  const editor = new ModelEditor(context.extensionUri, workers, hints, log, context.workspaceState);
  setTensorflowFolder(vscode.Uri.joinPath(context.globalStorageUri, 'tensorflow').fsPath);
  context.subscriptions.push(
    log,
    workers.viewer,
    workers.laborer,
    language,
    vscode.window.registerCustomEditorProvider(modelViewType, editor, {
      supportsMultipleEditorsPerDocument: true,
    }),
    command('pruneModel', pruneModel),
    command('restoreModel', restoreModel),
    command('openAsModel', (_context, uri?: vscode.Uri) => openAsModel(uri)),
    command('exportStatistics', exportStatistics),
    command('createSample', createSample),
    // For lenses; not in the palette.
    command('openWeights', (_context, model: vscode.Uri, view: string, layer?: string) =>
      editor.show(model, view, layer),
    ),
    command('evaluateModel', showView(editor, 'evaluate')),
    command('sweepModel', showView(editor, 'sweep')),
    command('retrainModel', showView(editor, 'retrain')),
    command('trainNet', trainNet),
    command('installTensorflow', installTensorflow),
  );
}
