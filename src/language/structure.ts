import * as vscode from 'vscode';
import { folds, outline, type Fold, type OutlineItem } from '../caffe/prototxt/structure';
import { shapeText } from '../network/shapes';
import type { Analysis } from './analysis';
import { rangeOf, selector, type Documents } from './documents';
import type { SourceShapes } from './sourceShapes';

/** Outline, breadcrumbs, sticky scroll and folding. */
export function registerStructure(documents: Documents, sources: SourceShapes): vscode.Disposable {
  const registerOutline = () =>
    vscode.languages.registerDocumentSymbolProvider(selector, {
      provideDocumentSymbols(document) {
        const analysis = documents.analysis(document);
        return outline(analysis.prototxt).map((item) => symbolOf(document, analysis, item));
      },
    });
  let registered = registerOutline();
  return vscode.Disposable.from(
    { dispose: () => registered.dispose() },
    // An outline has no event to say that its shapes are known by now: VS Code asks again when a provider comes.
    sources.onDidChange(() => {
      registered.dispose();
      registered = registerOutline();
    }),
    vscode.languages.registerFoldingRangeProvider(selector, {
      provideFoldingRanges: (document) =>
        folds(documents.analysis(document).prototxt).map(
          ({ kind, startLine, endLine }) => new vscode.FoldingRange(startLine, endLine, foldingKinds[kind]),
        ),
    }),
  );
}

const foldingKinds: Readonly<Record<Fold['kind'], vscode.FoldingRangeKind | undefined>> = {
  comment: vscode.FoldingRangeKind.Comment,
  group: vscode.FoldingRangeKind.Region,
  message: undefined,
};

const symbolKinds: Readonly<Record<OutlineItem['kind'], vscode.SymbolKind>> = {
  net: vscode.SymbolKind.Module,
  layer: vscode.SymbolKind.Class,
  message: vscode.SymbolKind.Object,
};

function symbolOf(
  document: vscode.TextDocument,
  analysis: Analysis,
  item: OutlineItem,
): vscode.DocumentSymbol {
  const top = item.layer && analysis.bestShapesOf(item.layer)?.tops[0]?.shape;
  const symbol = new vscode.DocumentSymbol(
    item.name,
    top ? `${item.detail} · ${shapeText(top)}` : item.detail,
    symbolKinds[item.kind],
    rangeOf(document, item.span),
    rangeOf(document, item.selection),
  );
  symbol.children = item.children.map((child) => symbolOf(document, analysis, child));
  return symbol;
}
