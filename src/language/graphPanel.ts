import * as vscode from 'vscode';
import { atomicWrite } from '../caffe/atomicWrite';
import { pageHtml, pageRoot } from '../editor/pageHtml';
import type { Phase } from '../network/layer';
import { textOf } from '../phrase';
import type { GraphEvent, GraphJobs, GraphStart } from '../protocol';
import { JobServer, type JobHandlers, type Request } from '../rpc';
import { toText } from '../wire';
import type { WorkerClient } from '../worker/client';
import { rangeOf, type Documents } from './documents';
import { graphOf } from './graphNet';
import { activePrototxt, fileName, type PairedModels } from './pairedModels';

const viewType = 'caffePruner.graph';

/** Draws the nets of prototxts, each in a panel beside its text; panels come back after the window was closed. */
export class GraphPanels implements vscode.Disposable, vscode.WebviewPanelSerializer {
  private readonly panels = new Map<string, vscode.WebviewPanel>();
  private readonly focus = new vscode.EventEmitter<void>();
  /** Another panel has the focus, or none. */
  readonly onDidChangeFocus = this.focus.event;
  private readonly serializer = vscode.window.registerWebviewPanelSerializer(viewType, this);

  constructor(
    private readonly extension: vscode.Uri,
    private readonly documents: Documents,
    private readonly pairs: PairedModels,
    private readonly worker: WorkerClient,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** Shows the graph of a prototxt, or of the one in the active editor. */
  async show(uri?: vscode.Uri): Promise<void> {
    const document = uri ? await vscode.workspace.openTextDocument(uri) : activePrototxt();
    if (!document) return;
    const known = this.panels.get(document.uri.toString());
    if (known) {
      known.reveal(undefined, true);
      return;
    }
    const panel = vscode.window.createWebviewPanel(
      viewType,
      vscode.l10n.t('Graph of {0}', fileName(document.uri)),
      { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true },
    );
    this.fill(panel, document.uri);
  }

  /** Draws in a panel that was there when the window was closed; `state` is what its page kept. */
  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const uri = uriIn(state);
    if (!uri || this.panels.has(uri.toString())) panel.dispose();
    else this.fill(panel, uri);
  }

  /** The prototxt whose graph has the focus. */
  focused(): vscode.TextDocument | undefined {
    const [key] = [...this.panels].find(([, panel]) => panel.active) ?? [];
    return vscode.workspace.textDocuments.find(({ uri }) => uri.toString() === key);
  }

  private fill(panel: vscode.WebviewPanel, uri: vscode.Uri): void {
    const key = uri.toString();
    this.panels.set(key, panel);
    const { webview } = panel;
    webview.options = { enableScripts: true, localResourceRoots: [pageRoot(this.extension)] };
    const server = new JobServer<GraphJobs>(this.jobs(uri), (response) => {
      if (response.kind === 'error' && response.error.kind === 'defect')
        this.log.error(response.error.stack ?? textOf(response.error.text));
      void webview.postMessage(toText(response));
    });
    const listener = webview.onDidReceiveMessage((request: Request<GraphJobs>) => server.receive(request));
    panel.onDidChangeViewState(() => this.focus.fire());
    panel.onDidDispose(() => {
      this.panels.delete(key);
      listener.dispose();
      void server.dispose();
      this.focus.fire();
    });
    webview.html = pageHtml<GraphStart>(webview, this.extension, 'graph', {
      uri: key,
      fileName: fileName(uri),
      texts: (vscode.l10n.bundle as Record<string, string> | undefined) ?? {},
      language: vscode.env.language,
      trusted: vscode.workspace.isTrusted,
    });
  }

  dispose(): void {
    this.serializer.dispose();
    for (const panel of this.panels.values()) panel.dispose();
    this.focus.dispose();
  }

  private jobs(uri: vscode.Uri): JobHandlers<GraphJobs> {
    return {
      watch: ({ phase }, { signal }) => this.watch(uri, phase, signal),
      select: async function* (this: GraphPanels, { layer, phase }: { layer: string; phase: Phase }) {
        yield* [];
        await this.selectInText(uri, layer, phase);
      }.bind(this),
      zeros: (_params, { signal }) => this.zeros(uri, signal),
      saveSvg: async function* ({ svg }) {
        yield* [];
        const name = fileName(uri).replace(/\.prototxt(\.txt)?$/, '');
        const target = await vscode.window.showSaveDialog({
          title: vscode.l10n.t('Save Graph'),
          defaultUri: vscode.Uri.joinPath(uri, '..', `${name}.svg`),
          filters: { SVG: ['svg'] },
        });
        if (!target) return undefined;
        const bytes = new TextEncoder().encode(svg);
        // The dialog has asked already whether to replace a file.
        if (target.scheme === 'file')
          await atomicWrite(target.fsPath, (file) => file.write(bytes), { replace: true });
        else await vscode.workspace.fs.writeFile(target, bytes);
        return fileName(target);
      },
    };
  }

  /** The net and the selection, as they change, until the page has had enough. */
  private async *watch(
    uri: vscode.Uri,
    phase: Phase | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<GraphEvent, void, void> {
    const isIt = (document: vscode.TextDocument) => document.uri.toString() === uri.toString();
    let netIsOld = true;
    let selection: string | undefined;
    let wake: () => void = () => undefined;
    const again = () => {
      netIsOld = true;
      wake();
    };
    const listeners = vscode.Disposable.from(
      vscode.workspace.onDidChangeTextDocument(({ document }) => isIt(document) && again()),
      this.pairs.onDidChange(again),
      vscode.window.onDidChangeTextEditorSelection(({ textEditor: { document }, selections }) => {
        if (!isIt(document)) return;
        selection = this.documents.analysis(document).layerAt(document.offsetAt(selections[0].active))?.name;
        wake();
      }),
      { dispose: () => signal.removeEventListener('abort', again) },
    );
    signal.addEventListener('abort', again);
    try {
      while (!signal.aborted) {
        const woken = new Promise<void>((resolve) => (wake = resolve));
        if (netIsOld) {
          netIsOld = false;
          yield await this.read(uri, phase);
        } else if (selection !== undefined) {
          const layer = selection;
          selection = undefined;
          yield { kind: 'selected', layer };
        } else {
          await woken;
          // While it is typed, the net need not be drawn at each key.
          if (netIsOld) await new Promise((done) => setTimeout(done, 300));
        }
      }
    } finally {
      listeners.dispose();
    }
  }

  private async read(uri: vscode.Uri, wanted: Phase | undefined): Promise<GraphEvent> {
    const document = await vscode.workspace.openTextDocument(uri);
    const analysis = this.documents.analysis(document);
    const phase = wanted ?? analysis.mainPhase();
    const inferred = analysis.shapes(phase);
    const read = analysis.read();
    if (!inferred || !read || !('net' in read))
      return {
        kind: 'problem',
        message: vscode.l10n.t('No layer of this file takes part in phase {0}.', phase),
      };
    const pair = await this.pairs.of(document);
    return {
      kind: 'net',
      net: graphOf(read.net.name ?? fileName(uri), phase, inferred),
      weights: pair && fileName(pair.uri),
    };
  }

  private async selectInText(uri: vscode.Uri, name: string, phase: Phase): Promise<void> {
    const document = await vscode.workspace.openTextDocument(uri);
    const analysis = this.documents.analysis(document);
    const named = analysis.nets().flatMap(({ layers }) => layers.filter((layer) => layer.name === name));
    const layer =
      named.find((one) => analysis.shapesOf(one).some((shapes) => shapes.phase === phase)) ?? named[0];
    if (!layer) return;
    const range = rangeOf(document, layer.nameSpan ?? layer.node);
    const shown = vscode.window.visibleTextEditors.find((editor) => editor.document === document);
    const editor = await vscode.window.showTextDocument(document, {
      viewColumn: shown?.viewColumn ?? vscode.ViewColumn.One,
      preserveFocus: true,
    });
    editor.selection = new vscode.Selection(range.start, range.end);
    editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  }

  private async *zeros(uri: vscode.Uri, signal: AbortSignal): AsyncGenerator<[string, number][], void, void> {
    const pair = await this.pairs.of(await vscode.workspace.openTextDocument(uri));
    if (!pair) return;
    const { layers } = pair.model;
    const figures = this.worker.start(
      'inspect',
      { path: pair.uri.fsPath, from: 0, to: layers.length },
      signal,
    );
    for await (const batch of figures)
      yield batch
        .filter(({ blob, statistics }) => blob === 0 && statistics.count > 0)
        .map(({ layer, statistics }) => [layers[layer].name, 1 - statistics.nonZero / statistics.count]);
  }
}

/** The file that a page draws, in what it keeps. */
function uriIn(state: unknown): vscode.Uri | undefined {
  const uri = typeof state === 'object' && state !== null && 'uri' in state ? state.uri : undefined;
  return typeof uri === 'string' ? vscode.Uri.parse(uri) : undefined;
}
