import * as vscode from 'vscode';
import type { PairedModel as ModelShapes } from '../caffe/prototxt/diagnose';
import type { Diagnostic } from '../caffe/prototxt/diagnostic';
import { layersByName } from '../caffe/pairing';
import { translated } from '../editor/translated';
import type { Analysis } from './analysis';
import { debounce, languageId, rangeOf, selector, toTextEdits, type Documents } from './documents';
import { fileReferences, resolveFile } from './links';
import { fileName, type PairedModel, type PairedModels } from './pairedModels';

/** How long after a key the problems are looked for again. */
const delay = 150;

/** The problems of a document's version, so that quick fixes find theirs. */
interface Found {
  version: number;
  diagnostics: { shown: vscode.Diagnostic; diagnostic: Diagnostic }[];
}

/** Keeps the problems of all open prototxts up to date while they are typed, and offers the ways out. */
export function registerDiagnostics(documents: Documents, pairs: PairedModels): vscode.Disposable {
  const collection = vscode.languages.createDiagnosticCollection('caffe-pruner');
  const found = new Map<string, Found>();

  const update = async (document: vscode.TextDocument): Promise<void> => {
    if (document.isClosed || document.languageId !== languageId) return;
    const { version } = document;
    const analysis = documents.analysis(document);
    const [pair, files] = await Promise.all([pairs.of(document), filesOf(document, analysis)]);
    // What was found out about an older text is of no use.
    if (document.isClosed || document.version !== version) return;
    const knowledge = { model: pair && shapesOf(pair), exists: (path: string) => files.get(path) };
    const diagnostics = analysis
      .problems(knowledge)
      .map((diagnostic) => ({ diagnostic, shown: toShown(document, diagnostic) }));
    found.set(document.uri.toString(), { version, diagnostics });
    collection.set(
      document.uri,
      diagnostics.map(({ shown }) => shown),
    );
  };
  const soon = debounce<vscode.TextDocument>(delay, (document) => void update(document));
  const all = () => vscode.workspace.textDocuments.forEach((document) => soon.call(document));
  all();
  return vscode.Disposable.from(
    collection,
    soon,
    pairs.onDidChange(all),
    vscode.workspace.onDidOpenTextDocument((document) => soon.call(document)),
    vscode.workspace.onDidChangeTextDocument(({ document }) => soon.call(document)),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => {
      collection.delete(uri);
      found.delete(uri.toString());
    }),
    vscode.languages.registerCodeActionsProvider(
      selector,
      {
        provideCodeActions(document, range) {
          const { version, diagnostics } = found.get(document.uri.toString()) ?? {};
          if (version !== document.version || !diagnostics) return [];
          return diagnostics
            .filter(({ shown }) => shown.range.intersection(range) !== undefined)
            .flatMap(({ shown, diagnostic }) => fixesOf(document, shown, diagnostic));
        },
      },
      { providedCodeActionKinds: [vscode.CodeActionKind.QuickFix] },
    ),
  );
}

/** Which of the files that a solver names are there; others are not asked for, as nothing depends on them. */
async function filesOf(
  document: vscode.TextDocument,
  analysis: Analysis,
): Promise<ReadonlyMap<string, boolean>> {
  if (analysis.kind() !== 'SolverParameter' || document.uri.scheme === 'untitled') return new Map();
  const paths = new Set(fileReferences(analysis).map(({ path }) => path));
  const known = await Promise.all(
    [...paths].map(async (path) => [path, (await resolveFile(document.uri, path)) !== undefined] as const),
  );
  return new Map(known);
}

function shapesOf({ uri, model }: PairedModel): ModelShapes {
  const layers = [...layersByName(model)];
  return {
    file: fileName(uri),
    layers: new Map(layers.map(([name, { blobs }]) => [name, blobs.map(({ shape }) => shape)])),
  };
}

const severities: Readonly<Record<Diagnostic['severity'], vscode.DiagnosticSeverity>> = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  information: vscode.DiagnosticSeverity.Information,
  hint: vscode.DiagnosticSeverity.Hint,
};
const tags: Readonly<Record<NonNullable<Diagnostic['tag']>, vscode.DiagnosticTag>> = {
  unnecessary: vscode.DiagnosticTag.Unnecessary,
  deprecated: vscode.DiagnosticTag.Deprecated,
};

function toShown(document: vscode.TextDocument, diagnostic: Diagnostic): vscode.Diagnostic {
  const { message, severity, code, tag, related } = diagnostic;
  const shown = new vscode.Diagnostic(
    rangeOf(document, diagnostic),
    translated(message),
    severities[severity],
  );
  shown.source = 'Caffe';
  shown.code = code;
  if (tag) shown.tags = [tags[tag]];
  if (related)
    shown.relatedInformation = [
      new vscode.DiagnosticRelatedInformation(
        new vscode.Location(document.uri, rangeOf(document, related)),
        translated(related.message),
      ),
    ];
  return shown;
}

const fixesOf = (
  document: vscode.TextDocument,
  shown: vscode.Diagnostic,
  { fixes }: Diagnostic,
): vscode.CodeAction[] =>
  fixes.map(({ title, edits, preferred }) => {
    const action = new vscode.CodeAction(translated(title), vscode.CodeActionKind.QuickFix);
    action.edit = new vscode.WorkspaceEdit();
    action.edit.set(document.uri, toTextEdits(document, edits));
    action.diagnostics = [shown];
    action.isPreferred = preferred;
    return action;
  });
