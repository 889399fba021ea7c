import * as vscode from 'vscode';
import type { LayerText, NetText } from '../caffe/prototxt/netText';
import { neighboursOf } from '../caffe/prototxt/symbols';
import { rangeOf, selector, type Documents } from './documents';

/** A layer in the hierarchy view; where it is found again after an edit. */
class LayerItem extends vscode.CallHierarchyItem {
  constructor(document: vscode.TextDocument, layer: LayerText) {
    const { node, nameSpan } = layer;
    const span = { start: node.field?.start ?? node.start, end: node.end };
    super(
      vscode.SymbolKind.Class,
      layer.name,
      layer.type,
      document.uri,
      rangeOf(document, span),
      rangeOf(document, nameSpan ?? span),
    );
  }
}

/** The layers that feed a layer, as its incoming calls, and those that read from it, as its outgoing ones. */
export function registerCallHierarchy(documents: Documents): vscode.Disposable {
  const find = (
    document: vscode.TextDocument,
    position: vscode.Position,
  ): { net: NetText; layer: LayerText } | undefined => {
    const analysis = documents.analysis(document);
    const layer = analysis.layerAt(document.offsetAt(position));
    const net = layer && analysis.nets().find(({ layers }) => layers.includes(layer));
    return net && layer ? { net, layer } : undefined;
  };
  /** Where `reader` names what `maker` makes. */
  const rangesBetween = (document: vscode.TextDocument, maker: LayerText, reader: LayerText) => {
    const made = new Set(maker.tops.map(({ blob }) => blob));
    return reader.bottoms.filter(({ blob }) => made.has(blob)).map(({ span }) => rangeOf(document, span));
  };
  return vscode.languages.registerCallHierarchyProvider(selector, {
    prepareCallHierarchy(document, position) {
      const found = find(document, position);
      return found && new LayerItem(document, found.layer);
    },
    async provideCallHierarchyIncomingCalls({ uri, selectionRange }) {
      const document = await vscode.workspace.openTextDocument(uri);
      const found = find(document, selectionRange.start);
      return found
        ? neighboursOf(found.net, found.layer).inputs.map(
            (maker) =>
              new vscode.CallHierarchyIncomingCall(
                new LayerItem(document, maker),
                maker.tops.map(({ span }) => rangeOf(document, span)),
              ),
          )
        : [];
    },
    async provideCallHierarchyOutgoingCalls({ uri, selectionRange }) {
      const document = await vscode.workspace.openTextDocument(uri);
      const found = find(document, selectionRange.start);
      return found
        ? neighboursOf(found.net, found.layer).outputs.map(
            (reader) =>
              new vscode.CallHierarchyOutgoingCall(
                new LayerItem(document, reader),
                rangesBetween(document, found.layer, reader),
              ),
          )
        : [];
    },
  });
}
