import * as vscode from 'vscode';
import { writeHints, type PruneHint } from '../caffe/prototxt/hints';
import { toTextEdits, type Documents } from './documents';
import { fileName, type PairedModels } from './pairedModels';

/** A layer's hint; `null` takes it away. */
export type HintEntry = readonly [layer: string, hint: PruneHint | null];

/**
 * Writes hints for a model into the prototxt that is paired with it, as one edit that can be undone and leaves the layout
 * alone; asks which where several are. The file is shown, and not saved.
 */
export async function writeHintsFor(
  documents: Documents,
  pairs: PairedModels,
  model: vscode.Uri,
  hints: readonly HintEntry[],
): Promise<void> {
  const document = await choosePrototxt(await prototxtsOf(pairs, model), model);
  if (!document) return;
  const entries = new Map(hints.map(([layer, hint]) => [layer, hint ?? undefined]));
  const edits = writeHints(documents.analysis(document).prototxt, entries);
  const edit = new vscode.WorkspaceEdit();
  edit.set(document.uri, toTextEdits(document, edits));
  await vscode.workspace.applyEdit(edit);
  await vscode.window.showTextDocument(document, { preview: false });
}

/** The prototxts that a model goes with: in its folder and open ones. */
async function prototxtsOf(pairs: PairedModels, model: vscode.Uri): Promise<vscode.TextDocument[]> {
  const folder = new vscode.RelativePattern(vscode.Uri.joinPath(model, '..'), '*.{prototxt,prototxt.txt}');
  const found = new Map<string, vscode.TextDocument>();
  for (const uri of await vscode.workspace.findFiles(folder, undefined, 50))
    found.set(uri.toString(), await vscode.workspace.openTextDocument(uri));
  for (const document of vscode.workspace.textDocuments)
    if (document.languageId === 'prototxt') found.set(document.uri.toString(), document);
  const paired: vscode.TextDocument[] = [];
  for (const document of found.values())
    if ((await pairs.of(document))?.uri.path === model.path) paired.push(document);
  return paired;
}

async function choosePrototxt(
  all: readonly vscode.TextDocument[],
  model: vscode.Uri,
): Promise<vscode.TextDocument | undefined> {
  if (all.length === 0) {
    await vscode.window.showInformationMessage(
      vscode.l10n.t(
        'No prototxt is paired with {0}. Open the net and choose its weights in the status bar.',
        fileName(model),
      ),
    );
    return undefined;
  }
  if (all.length === 1) return all[0];
  const picked = await vscode.window.showQuickPick(
    all.map((document) => ({ label: fileName(document.uri), document })),
    { title: vscode.l10n.t('Write the hints to which prototxt?') },
  );
  return picked?.document;
}
