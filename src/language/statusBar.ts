import * as vscode from 'vscode';
import { debounce, languageId, type Documents } from './documents';
import type { GraphPanels } from './graphPanel';
import { bytes, compact } from './numbers';
import { activePrototxt, fileName, type PairedModels } from './pairedModels';
import { layerWeights } from './weights';

/** In the status bar: the net's layers, parameters and MACs, and the model that is paired with it. */
export function registerStatusBar(
  documents: Documents,
  pairs: PairedModels,
  graphs: GraphPanels,
): vscode.Disposable {
  const net = vscode.window.createStatusBarItem('caffePruner.net', vscode.StatusBarAlignment.Right, 101);
  net.name = vscode.l10n.t('Caffe net');
  net.command = 'caffePruner.showNetGraph';
  const model = vscode.window.createStatusBarItem(
    'caffePruner.pairedModel',
    vscode.StatusBarAlignment.Right,
    100,
  );
  model.name = vscode.l10n.t('Weights of the net');
  model.command = 'caffePruner.chooseWeights';

  const subject = () => activePrototxt() ?? graphs.focused();
  const update = async () => {
    const document = subject();
    const analysis = document && documents.analysis(document);
    const inferred = analysis?.shapes(analysis.mainPhase());
    if (!document || !analysis || !inferred) {
      net.hide();
      model.hide();
      return;
    }
    const { layers, macs, memory } = inferred;
    const pair = await pairs.of(document);
    if (subject() !== document) return;
    // Where a data source feeds the net, its weights are known from the model alone.
    const parameters = Number.isNaN(inferred.parameters)
      ? layerWeights(analysis, pair?.model).reduce((sum, one) => sum + one.parameters, 0) || NaN
      : inferred.parameters;
    const counts = [
      layers.length === 1 ? vscode.l10n.t('1 layer') : vscode.l10n.t('{0} layers', layers.length),
    ];
    if (!Number.isNaN(parameters)) counts.push(vscode.l10n.t('{0} parameters', compact(parameters)));
    if (!Number.isNaN(macs)) counts.push(vscode.l10n.t('{0} MACs', compact(macs)));
    net.text = `$(type-hierarchy) ${counts.join(' · ')}`;
    net.tooltip = new vscode.MarkdownString(
      [
        vscode.l10n.t('Net in phase {0}', analysis.mainPhase()),
        ...(Number.isNaN(memory) ? [] : [vscode.l10n.t('Memory of all blobs: {0}', bytes(memory))]),
        ...(Number.isNaN(macs)
          ? [vscode.l10n.t('Some shapes are not known: the input is fed by a data source.')]
          : []),
        vscode.l10n.t('Click to draw the net as a graph'),
      ].join('\n\n'),
    );
    net.show();
    model.text = pair
      ? `$(link) ${fileName(pair.uri)}`
      : `$(debug-disconnect) ${vscode.l10n.t('No weights')}`;
    model.tooltip = pair
      ? pair.chosen
        ? vscode.l10n.t('Weights of this net, as chosen: {0}', pair.uri.fsPath)
        : vscode.l10n.t('Weights of this net, found by layers and shapes: {0}', pair.uri.fsPath)
      : vscode.l10n.t('No model with the layers of this net is beside it. Click to choose one.');
    model.show();
  };
  const soon = debounce<undefined>(150, () => void update());
  soon.call(undefined);
  return vscode.Disposable.from(
    net,
    model,
    soon,
    pairs.onDidChange(() => soon.call(undefined)),
    graphs.onDidChangeFocus(() => soon.call(undefined)),
    vscode.window.onDidChangeActiveTextEditor(() => soon.call(undefined)),
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      if (document.languageId === languageId) soon.call(undefined);
    }),
  );
}
