import * as vscode from 'vscode';
import type { WorkerClient } from '../worker/client';
import { registerCallHierarchy } from './callHierarchy';
import { chooseWeights } from './chooseWeights';
import { registerCompletion } from './completion';
import { registerDiagnostics } from './diagnostics';
import { Documents } from './documents';
import { registerFormatting } from './formatting';
import { GraphPanels } from './graphPanel';
import { HintsOfModels } from './hintsOfModels';
import { registerHover } from './hover';
import { registerInlayHints } from './inlayHints';
import { registerLenses } from './lenses';
import { registerLinks } from './links';
import { registerNavigation } from './navigation';
import { activePrototxt, PairedModels } from './pairedModels';
import { pruneWithHints } from './pruneWithHints';
import { registerSemanticTokens } from './semanticTokens';
import { SourceShapes } from './sourceShapes';
import { registerStatusBar } from './statusBar';
import { registerStructure } from './structure';

/** All that the extension does for prototxt files; `hints` are those for models, which the models' pages show and write. */
export function registerLanguage(
  context: vscode.ExtensionContext,
  { viewer, laborer }: { viewer: WorkerClient; laborer: WorkerClient },
  log: vscode.LogOutputChannel,
): { language: vscode.Disposable; hints: HintsOfModels } {
  const sources = new SourceShapes(viewer, log);
  const documents = new Documents(sources);
  const pairs = new PairedModels(context.workspaceState, documents, sources, log);
  const graphs = new GraphPanels(context.extensionUri, documents, pairs, viewer, log);
  const hints = new HintsOfModels(documents, pairs);
  const language = vscode.Disposable.from(
    hints,
    sources,
    documents,
    pairs,
    graphs,
    registerDiagnostics(documents, pairs),
    registerCompletion(documents),
    registerHover(documents, pairs, viewer),
    registerNavigation(documents),
    registerCallHierarchy(documents),
    registerStructure(documents, sources),
    registerFormatting(documents),
    registerSemanticTokens(documents),
    registerLinks(documents),
    registerInlayHints(documents, pairs),
    registerLenses(documents, pairs),
    tellActive(),
    registerStatusBar(documents, pairs, graphs),
    command('showNetGraph', (uri?: vscode.Uri) => graphs.show(uri)),
    command('chooseWeights', () => chooseWeights(pairs, activePrototxt() ?? graphs.focused())),
    command('pruneWithHints', (uri?: vscode.Uri) =>
      pruneWithHints({ documents, pairs, worker: laborer, log }, uri),
    ),
  );
  return { language, hints };
}

/**
 * Tells when-clauses whether the active editor shows a prototxt: the keys of VS Code do so only while the editor has the
 * focus, and the palette would lack our commands after a click in the explorer.
 */
function tellActive(): vscode.Disposable {
  const tell = () =>
    void vscode.commands.executeCommand(
      'setContext',
      'caffePruner.prototxtIsActive',
      activePrototxt() !== undefined,
    );
  tell();
  return vscode.window.onDidChangeActiveTextEditor(tell);
}

const command = <Args extends unknown[]>(name: string, run: (...args: Args) => unknown): vscode.Disposable =>
  vscode.commands.registerCommand(`caffePruner.${name}`, run);
