import * as vscode from 'vscode';
import { asksForMore, complete, type Completion } from '../caffe/prototxt/complete';
import { translated } from '../editor/translated';
import { rangeOf, selector, type Documents } from './documents';

const kinds: Readonly<Record<Completion['kind'], vscode.CompletionItemKind>> = {
  field: vscode.CompletionItemKind.Field,
  message: vscode.CompletionItemKind.Struct,
  layer: vscode.CompletionItemKind.Class,
  value: vscode.CompletionItemKind.EnumMember,
  blob: vscode.CompletionItemKind.Variable,
  name: vscode.CompletionItemKind.Reference,
  hint: vscode.CompletionItemKind.Keyword,
};

/** Completion of fields, values, blobs, layer types and hints. */
export const registerCompletion = (documents: Documents): vscode.Disposable =>
  vscode.languages.registerCompletionItemProvider(
    selector,
    {
      provideCompletionItems(document, position, _cancelled, { triggerCharacter }) {
        const { prototxt } = documents.analysis(document);
        const offset = document.offsetAt(position);
        if (triggerCharacter !== undefined && !asksForMore(prototxt, offset, triggerCharacter)) return [];
        return complete(prototxt, offset).map((completion) => itemOf(document, position, completion));
      },
    },
    '"',
    "'",
    ':',
    ' ',
    '=',
  );

function itemOf(
  document: vscode.TextDocument,
  position: vscode.Position,
  { kind, label, detail, doc, snippet, span, rank, deprecated }: Completion,
): vscode.CompletionItem {
  const item = new vscode.CompletionItem({ label, description: translated(detail) }, kinds[kind]);
  const replacing = rangeOf(document, span);
  // Inserting leaves what stands behind the cursor.
  item.range = { inserting: replacing.with({ end: position }), replacing };
  item.insertText = new vscode.SnippetString(snippet);
  item.sortText = String(rank).padStart(6, '0');
  if (doc) item.documentation = new vscode.MarkdownString(translated(doc));
  if (deprecated) item.tags = [vscode.CompletionItemTag.Deprecated];
  // A field's value, or a message's fields, are next.
  if (kind === 'field' && /[:"]\s*"?(\$0|\$\{?1)/.test(snippet))
    item.command = { command: 'editor.action.triggerSuggest', title: '' };
  return item;
}
