import * as vscode from 'vscode';
import type { WorkerClient } from '../worker/client';
import { registerCallHierarchy } from './callHierarchy';
import { chooseWeights } from './chooseWeights';
import { registerCompletion } from './completion';
import { registerDiagnostics } from './diagnostics';
import { Documents } from './documents';
import { registerFormatting } from './formatting';
import { GraphPanels } from './graphPanel';
import { registerHover } from './hover';
import { registerLenses } from './lenses';
import { registerLinks } from './links';
import { registerNavigation } from './navigation';
import { openModel } from '../editor/pruning';
import { PairedModels } from './pairedModels';
import { pruneWithHints } from './pruneWithHints';
import { writeHintsFor, type HintEntry } from './writeHints';
import { registerSemanticTokens } from './semanticTokens';
import { SourceShapes } from './sourceShapes';
import { registerStatusBar } from './statusBar';
import { registerStructure } from './structure';

/** All that the extension does for prototxt files. */
export function registerLanguage(
  context: vscode.ExtensionContext,
  { viewer, laborer }: { viewer: WorkerClient; laborer: WorkerClient },
  log: vscode.LogOutputChannel,
): vscode.Disposable {
  const sources = new SourceShapes(viewer, log);
  const documents = new Documents(sources);
  const pairs = new PairedModels(context.workspaceState, documents, sources, log);
  const graphs = new GraphPanels(context.extensionUri, documents, pairs, viewer, log);
  return vscode.Disposable.from(
    sources,
    documents,
    pairs,
    graphs,
    registerDiagnostics(documents, pairs),
    registerCompletion(documents),
    registerHover(documents, pairs, viewer),
    registerNavigation(documents),
    registerCallHierarchy(documents),
    registerStructure(documents),
    registerFormatting(documents),
    registerSemanticTokens(documents),
    registerLinks(documents),
    registerLenses(documents, pairs),
    registerStatusBar(documents, pairs),
    command('showNetGraph', (uri?: vscode.Uri) => graphs.show(uri)),
    command('chooseWeights', () => chooseWeights(pairs)),
    command('pruneWithHints', (uri?: vscode.Uri) =>
      pruneWithHints({ documents, pairs, worker: laborer, log }, uri),
    ),
    // For lenses and for the model's page; not in the palette.
    command('openWeights', (model: vscode.Uri) => openModel(model)),
    command('writeHints', (model: vscode.Uri, hints: readonly HintEntry[]) =>
      writeHintsFor(documents, pairs, model, hints),
    ),
  );
}

const command = <Args extends unknown[]>(name: string, run: (...args: Args) => unknown): vscode.Disposable =>
  vscode.commands.registerCommand(`caffePruner.${name}`, run);
