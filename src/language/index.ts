import * as vscode from 'vscode';
import type { WorkerClient } from '../worker/client';
import { registerCallHierarchy } from './callHierarchy';
import { chooseWeights } from './chooseWeights';
import { registerCompletion } from './completion';
import { registerDiagnostics } from './diagnostics';
import { Documents } from './documents';
import { registerFormatting } from './formatting';
import { registerHover } from './hover';
import { registerLenses } from './lenses';
import { registerLinks } from './links';
import { registerNavigation } from './navigation';
import { PairedModels } from './pairedModels';
import { registerSemanticTokens } from './semanticTokens';
import { registerStatusBar } from './statusBar';
import { registerStructure } from './structure';

/** All that the extension does for prototxt files. */
export function registerLanguage(
  context: vscode.ExtensionContext,
  worker: WorkerClient,
  log: vscode.LogOutputChannel,
): vscode.Disposable {
  const documents = new Documents();
  const pairs = new PairedModels(context.workspaceState, documents, log);
  return vscode.Disposable.from(
    documents,
    pairs,
    registerDiagnostics(documents, pairs),
    registerCompletion(documents),
    registerHover(documents, pairs, worker),
    registerNavigation(documents),
    registerCallHierarchy(documents),
    registerStructure(documents),
    registerFormatting(documents),
    registerSemanticTokens(documents),
    registerLinks(documents),
    registerLenses(documents, pairs),
    registerStatusBar(documents, pairs),
    vscode.commands.registerCommand('caffePruner.chooseWeights', () => chooseWeights(pairs)),
  );
}
