import * as vscode from 'vscode';
import type { LayerParameter, Phase } from '../caffe/messages';
import type { WorkerClient } from '../worker/client';

/** Types whose tops have the shapes of what is in a source. */
const fed = new Set(['Data', 'ImageData', 'HDF5Data']);

/**
 * The shapes that data sources give to nets. A source is read in the background when it is first asked for, and not in a
 * workspace that is not trusted, as a prototxt may name any file.
 */
export class SourceShapes implements vscode.Disposable {
  private readonly known = new Map<string, number[][] | undefined>();
  private readonly changes = new vscode.EventEmitter<vscode.Uri>();
  /** More is known of the net of a document. */
  readonly onDidChange = this.changes.event;
  private readonly trusting = vscode.workspace.onDidGrantWorkspaceTrust(() => this.known.clear());

  constructor(
    private readonly worker: WorkerClient,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** The shapes of a data layer's tops, as far as they are known by now. */
  of(document: vscode.Uri, layer: LayerParameter, phase: Phase): number[][] | undefined {
    if (!fed.has(layer.type) || document.scheme !== 'file' || !vscode.workspace.isTrusted) return undefined;
    const { line: _line, ...what } = layer;
    const key = JSON.stringify([document.fsPath, phase, what]);
    if (this.known.has(key)) return this.known.get(key);
    // Asked for once; what cannot be read now is tried again when the layer changes.
    this.known.set(key, undefined);
    void this.read(document, layer, phase, key);
    return undefined;
  }

  dispose(): void {
    this.changes.dispose();
    this.trusting.dispose();
  }

  private async read(document: vscode.Uri, layer: LayerParameter, phase: Phase, key: string): Promise<void> {
    const workspaceFolders = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
    const params = { netFile: document.fsPath, workspaceFolders, layer, phase };
    try {
      this.known.set(key, await this.worker.run('sourceShapes', params));
      this.changes.fire(document);
    } catch (error) {
      this.log.debug(`The data of layer "${layer.name}" tell no shapes: ${String(error)}`);
    }
  }
}
