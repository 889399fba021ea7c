import * as vscode from 'vscode';
import { textOf } from '../phrase';
import type { PageEvent, PageJobs } from '../protocol';
import { JobServer, type Request } from '../rpc';
import { toText } from '../wire';
import type { WorkerClient } from '../worker/client';
import { fileNameOf, type LocalFile, toLocalFile } from './localFile';
import { pageHtml, pageRoot } from './pageHtml';
import { type HintKeeper, pageJobs } from './pageJobs';
import { openModel } from './pruning';
import { Runs } from './runJobs';

/** Names of files that a model may be run or compared with. */
const runFileName = /\.(caffemodel(\.h5)?|prototxt(\.txt)?|solverstate(\.h5)?|npz)$/i;
/** Changes in the model's folder are gathered for this long. */
const gatherMs = 300;

/** A model that is open in one or several editors. What is in it stays in the worker process. */
export class ModelDocument implements vscode.CustomDocument {
  private file: Promise<LocalFile> | undefined;
  private readonly events = new vscode.EventEmitter<PageEvent>();
  /** What happens to the model while it is open. */
  readonly onEvent = this.events.event;
  private readonly disposables: vscode.Disposable[] = [this.events];
  private telling: ReturnType<typeof setTimeout> | undefined;
  /** The view that a command asked for last. */
  request: (PageEvent & { kind: 'show' }) | undefined;

  constructor(
    readonly uri: vscode.Uri,
    readonly runs: Runs,
    private readonly onDispose: () => void,
  ) {
    const folder = vscode.Uri.joinPath(uri, '..');
    // The name of the model would not do as a pattern: it may hold brackets and stars.
    const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(folder, '*'));
    const on = (kind: 'changedOnDisk' | 'deleted') => (changed: vscode.Uri) => {
      if (changed.path === uri.path) this.events.fire({ kind });
      else if (runFileName.test(changed.path)) this.tellCompanionsSoon();
    };
    this.disposables.push(
      runs,
      watcher,
      watcher.onDidChange(on('changedOnDisk')),
      // A file that is replaced by renaming another onto it is created.
      watcher.onDidCreate(on('changedOnDisk')),
      watcher.onDidDelete(on('deleted')),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.events.fire({ kind: 'trusted' })),
    );
  }

  /** The path at which the worker finds the model; with `again`, a copy is brought up to date. */
  async path(again = false): Promise<string> {
    if (again) await this.forget();
    this.file ??= toLocalFile(this.uri);
    // A failure is not remembered: the next try may succeed.
    this.file.catch(() => (this.file = undefined));
    return (await this.file).path;
  }

  /** Lets the pages show a view; one that is not there yet does when it comes. */
  show(view: string, layer?: string): void {
    this.request = { kind: 'show', view, layer, request: Date.now() };
    this.events.fire(this.request);
  }

  dispose(): void {
    this.onDispose();
    clearTimeout(this.telling);
    void this.forget();
    vscode.Disposable.from(...this.disposables).dispose();
  }

  /** Files come in groups, such as the outputs of pruning: the pages look once for all of a group. */
  private tellCompanionsSoon(): void {
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.events.fire({ kind: 'companions' }), gatherMs);
  }

  private async forget(): Promise<void> {
    const { file } = this;
    this.file = undefined;
    await file?.then((local) => local.dispose()).catch(() => undefined);
  }
}

/** The editor for Caffe models: a page that asks the worker for what it shows. */
export class ModelEditor implements vscode.CustomReadonlyEditorProvider<ModelDocument> {
  private readonly documents = new Set<ModelDocument>();

  constructor(
    private readonly extension: vscode.Uri,
    private readonly workers: { viewer: WorkerClient; laborer: WorkerClient },
    private readonly hints: HintKeeper,
    private readonly log: vscode.LogOutputChannel,
    /** Remembers what models are run with. */
    private readonly memory: vscode.Memento,
  ) {}

  openCustomDocument(uri: vscode.Uri): ModelDocument {
    const document: ModelDocument = new ModelDocument(uri, new Runs(uri, this.workers, this.memory), () =>
      this.documents.delete(document),
    );
    this.documents.add(document);
    return document;
  }

  /** Opens a model and shows one of its views, with a layer selected. */
  async show(uri: vscode.Uri, view: string, layer?: string): Promise<void> {
    await openModel(uri);
    for (const document of this.documents) {
      if (document.uri.toString() === uri.toString()) document.show(view, layer);
    }
  }

  resolveCustomEditor(document: ModelDocument, panel: vscode.WebviewPanel): void {
    const { webview } = panel;
    webview.options = { enableScripts: true, localResourceRoots: [pageRoot(this.extension)] };
    const server = new JobServer<PageJobs>(pageJobs(document, this.workers, this.hints), (response) => {
      if (response.kind === 'error' && response.error.kind === 'defect') {
        this.log.error(response.error.stack ?? textOf(response.error.text));
      }
      void webview.postMessage(toText(response));
    });
    const listener = webview.onDidReceiveMessage((request: Request<PageJobs>) => server.receive(request));
    panel.onDidDispose(() => {
      listener.dispose();
      void server.dispose();
    });
    webview.html = pageHtml(webview, this.extension, 'model', {
      fileName: fileNameOf(document.uri),
      texts: (vscode.l10n.bundle as Record<string, string> | undefined) ?? {},
      language: vscode.env.language,
      trusted: vscode.workspace.isTrusted,
    });
  }
}
