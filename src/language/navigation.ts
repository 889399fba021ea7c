import * as vscode from 'vscode';
import { definitionsOf, occurrencesOf, rename, symbolAt } from '../caffe/prototxt/symbols';
import { translated } from '../editor/translated';
import { rangeOf, selector, toTextEdits, type Documents } from './documents';

/** Definition, references, highlights and rename of blobs, layers and shared parameters. */
export function registerNavigation(documents: Documents): vscode.Disposable {
  const symbol = (document: vscode.TextDocument, position: vscode.Position) =>
    symbolAt(documents.analysis(document).prototxt, document.offsetAt(position));
  return vscode.Disposable.from(
    vscode.languages.registerDefinitionProvider(selector, {
      provideDefinition(document, position) {
        const found = symbol(document, position);
        if (!found) return undefined;
        const originSelectionRange = rangeOf(document, found.span);
        return definitionsOf(found).map((span) => ({
          originSelectionRange,
          targetUri: document.uri,
          targetRange: rangeOf(document, span),
        }));
      },
    }),
    vscode.languages.registerReferenceProvider(selector, {
      provideReferences(document, position, { includeDeclaration }) {
        const found = symbol(document, position);
        if (!found) return undefined;
        const definitions = includeDeclaration
          ? new Set<number>()
          : new Set(definitionsOf(found).map(({ start }) => start));
        return occurrencesOf(found)
          .filter(({ start }) => !definitions.has(start))
          .map((span) => new vscode.Location(document.uri, rangeOf(document, span)));
      },
    }),
    vscode.languages.registerDocumentHighlightProvider(selector, {
      provideDocumentHighlights(document, position) {
        const found = symbol(document, position);
        return found
          ? occurrencesOf(found).map(
              (span) =>
                new vscode.DocumentHighlight(
                  rangeOf(document, span),
                  span.access === 'write'
                    ? vscode.DocumentHighlightKind.Write
                    : vscode.DocumentHighlightKind.Read,
                ),
            )
          : undefined;
      },
    }),
    vscode.languages.registerRenameProvider(selector, {
      prepareRename(document, position) {
        const found = symbol(document, position);
        if (!found) throw new Error(vscode.l10n.t('Only blobs, layers and shared parameters have names.'));
        return { range: rangeOf(document, found.span), placeholder: found.name };
      },
      provideRenameEdits(document, position, name) {
        const found = symbol(document, position);
        if (!found) return undefined;
        const edits = rename(found, name);
        if (!Array.isArray(edits)) throw new Error(translated(edits.problem));
        const edit = new vscode.WorkspaceEdit();
        edit.set(document.uri, toTextEdits(document, edits));
        return edit;
      },
    }),
  );
}
