import * as vscode from 'vscode';
import type { Span, TextEdit } from '../caffe/prototxt/tree';
import { Analysis, Former } from './analysis';
import type { SourceShapes } from './sourceShapes';

export const languageId = 'prototxt';
/** The documents that the language features are for. */
export const selector: vscode.DocumentSelector = { language: languageId };

/** The analysis of each open prototxt: one per version, shared by all features. */
export class Documents implements vscode.Disposable {
  private readonly known = new Map<string, { version: number; analysis: Analysis; former: Former }>();
  private readonly listeners: vscode.Disposable;

  constructor(private readonly sources: SourceShapes) {
    const forget = ({ uri }: { uri: vscode.Uri }) => this.known.delete(uri.toString());
    this.listeners = vscode.Disposable.from(
      vscode.workspace.onDidCloseTextDocument(forget),
      sources.onDidChange((uri) => forget({ uri })),
    );
  }

  analysis(document: vscode.TextDocument): Analysis {
    const key = document.uri.toString();
    const known = this.known.get(key);
    if (known?.version === document.version) return known.analysis;
    const former = known?.former ?? new Former();
    const analysis = new Analysis(
      document.getText(),
      (layer, phase) => this.sources.of(document.uri, layer, phase),
      former,
    );
    // A document that is closed already would stay here for ever.
    if (!document.isClosed) this.known.set(key, { version: document.version, analysis, former });
    return analysis;
  }

  dispose(): void {
    this.listeners.dispose();
    this.known.clear();
  }
}

export const rangeOf = (document: vscode.TextDocument, { start, end }: Span): vscode.Range =>
  new vscode.Range(document.positionAt(start), document.positionAt(end));

export const toTextEdits = (document: vscode.TextDocument, edits: readonly TextEdit[]): vscode.TextEdit[] =>
  edits.map((edit) => new vscode.TextEdit(rangeOf(document, edit), edit.text));

/** Runs `action` when nothing has called for `milliseconds`. */
export function debounce<Key>(
  milliseconds: number,
  action: (key: Key) => void,
): { call(key: Key): void } & vscode.Disposable {
  const timers = new Map<Key, NodeJS.Timeout>();
  return {
    call(key) {
      clearTimeout(timers.get(key));
      timers.set(
        key,
        setTimeout(() => {
          timers.delete(key);
          action(key);
        }, milliseconds),
      );
    },
    dispose() {
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}
