import * as vscode from 'vscode';
import { readHints, writeHints } from '../caffe/prototxt/hints';
import { parsePrototxt } from '../caffe/prototxt/parser';
import type { HintKeeper } from '../editor/pageJobs';
import type { HintEntry, ModelHints } from '../protocol';
import { hintFor, hintsToWrite } from '../sparsity/hintChoices';
import { debounce, languageId, toTextEdits, type Documents } from './documents';
import { fileName, type PairedModel, type PairedModels } from './pairedModels';

/** Prototxts beyond this many in a folder are not looked at. */
const mostPrototxts = 50;

/** How long the text rests before its hints are read again. */
const restMs = 300;

/** A prototxt, and the model that is paired with it. */
interface Paired {
  document: vscode.TextDocument;
  pair: PairedModel;
}

/** The pruning hints of models: they stand in the prototxts that are paired with them. */
export class HintsOfModels implements HintKeeper, vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<void>();
  /** Hints of some model may have changed. */
  readonly onDidChange = this.changes.event;
  private readonly disposables: vscode.Disposable[];

  constructor(
    private readonly documents: Documents,
    private readonly pairs: PairedModels,
  ) {
    const changed = debounce<undefined>(restMs, () => this.changes.fire());
    this.disposables = [
      this.changes,
      changed,
      pairs.onDidChange(() => changed.call(undefined)),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (document.languageId === languageId && contentChanges.length > 0) changed.call(undefined);
      }),
    ];
  }

  /** The hints for a model: of the first prototxt, by name, that is paired with it and has some. */
  async of(model: vscode.Uri): Promise<ModelHints | undefined> {
    const [found] = await this.hinted(model);
    if (!found) return undefined;
    const hints = readHints(this.documents.analysis(found.document).prototxt);
    const layers = found.pair.model.layers
      .map(({ name }) => [name, hintFor(hints, name)] as const)
      .filter(([, hint]) => Object.keys(hint).length > 0);
    return { file: fileName(found.document.uri), layers: Object.fromEntries(layers) };
  }

  /**
   * Writes hints for a model into the prototxt where its hints are, or else into one that is paired with it, as one edit
   * that can be undone and leaves the layout alone; asks which where several are. The file is shown, and not saved.
   * @returns its name; undefined when there is none, or the user thought better of it
   */
  async write(model: vscode.Uri, entries: readonly HintEntry[]): Promise<string | undefined> {
    const hinted = await this.hinted(model);
    const found = await choose(hinted.length > 0 ? hinted : await this.paired(model), model);
    if (!found) return undefined;
    const { document } = found;
    const { prototxt } = this.documents.analysis(document);
    const edits = writeHints(prototxt, hintsToWrite(readHints(prototxt), entries));
    const edit = new vscode.WorkspaceEdit();
    edit.set(document.uri, toTextEdits(document, edits));
    if (!(await vscode.workspace.applyEdit(edit)))
      throw new Error(vscode.l10n.t('{0} could not be changed.', fileName(document.uri)));
    const shown = vscode.window.visibleTextEditors.find((editor) => editor.document === document);
    const editor = await vscode.window.showTextDocument(document, {
      preview: false,
      viewColumn: shown?.viewColumn ?? vscode.ViewColumn.Beside,
    });
    // What stands before the first change did not move.
    const first = document.positionAt(edits[0]?.start ?? 0);
    editor.selection = new vscode.Selection(first, first);
    editor.revealRange(new vscode.Range(first, first), vscode.TextEditorRevealType.InCenter);
    return fileName(document.uri);
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
  }

  private hinted(model: vscode.Uri): Promise<Paired[]> {
    return this.paired(model, (text) => {
      const { default: byDefault, layers } = readHints(parsePrototxt(text));
      return layers.size > 0 || Object.keys(byDefault).length > 0;
    });
  }

  /** The prototxts that a model goes with, by name: in its folder, and open ones; those whose text `matters`. */
  private async paired(model: vscode.Uri, matters = (_text: string) => true): Promise<Paired[]> {
    const open = vscode.workspace.textDocuments.filter((document) => document.languageId === languageId);
    const folder = new vscode.RelativePattern(vscode.Uri.joinPath(model, '..'), '*.{prototxt,prototxt.txt}');
    const found = [...open.filter((document) => matters(document.getText()))];
    for (const uri of await vscode.workspace.findFiles(folder, undefined, mostPrototxts)) {
      if (open.some((document) => document.uri.toString() === uri.toString())) continue;
      // Opening a document lets other extensions look at it too, so its text is looked at first.
      const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
      if (matters(text)) found.push(await vscode.workspace.openTextDocument(uri));
    }
    const paired: Paired[] = [];
    for (const document of found) {
      const pair = await this.pairs.of(document);
      if (pair?.uri.path === model.path) paired.push({ document, pair });
    }
    return paired.sort((a, b) => a.document.uri.path.localeCompare(b.document.uri.path));
  }
}

async function choose(all: readonly Paired[], model: vscode.Uri): Promise<Paired | undefined> {
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
    all.map((one) => ({ label: fileName(one.document.uri), one })),
    { title: vscode.l10n.t('Write the hints to which prototxt?') },
  );
  return picked?.one;
}
