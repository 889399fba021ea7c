import * as vscode from 'vscode';
import { openFile } from '../caffe/byteSource';
import { openModel, type Model } from '../caffe/model';
import { fitOf, rankPairs, type Candidate, type Fit } from '../caffe/pairing';
import { parseSolver } from '../caffe/readNet';
import type { Documents } from './documents';
import { languageId } from './documents';
import { resolveFile } from './links';
import type { SourceShapes } from './sourceShapes';
import { weightedLayers } from './weights';

/** The weights that go with a prototxt. */
export interface PairedModel {
  uri: vscode.Uri;
  model: Model;
  /** Chosen by hand; otherwise found. */
  chosen: boolean;
}

/** What the user chose, by prototxt: a model, or none (null). */
type Choices = Record<string, string | null>;
const choicesKey = 'caffePruner.pairedModels';

interface ModelCandidate extends Candidate {
  uri: vscode.Uri;
  model: Model;
}

/** Models beyond this many in a folder are not looked at. */
const mostCandidates = 64;

/**
 * Finds the weights of each prototxt: chosen by hand and remembered, or the model in its folder, or of a solver's snapshots,
 * whose layers and shapes fit. Only indexes are read.
 */
export class PairedModels implements vscode.Disposable {
  private readonly changes = new vscode.EventEmitter<void>();
  /** A pair may have changed. */
  readonly onDidChange = this.changes.event;
  private readonly pairs = new Map<string, { layers: string; pair: Promise<PairedModel | undefined> }>();
  private readonly models = new Map<string, { stamp: string; model: Promise<Model> }>();
  private readonly disposables: vscode.Disposable[];

  constructor(
    private readonly state: vscode.Memento,
    private readonly documents: Documents,
    sources: SourceShapes,
    private readonly log: vscode.LogOutputChannel,
  ) {
    const watcher = vscode.workspace.createFileSystemWatcher('**/*.{caffemodel,caffemodel.h5}');
    const forget = () => this.forget();
    this.disposables = [
      this.changes,
      watcher,
      // With more shapes known, another model may fit.
      sources.onDidChange(forget),
      watcher.onDidCreate(forget),
      watcher.onDidChange(forget),
      watcher.onDidDelete(forget),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.pairs.delete(uri.toString())),
    ];
  }

  /** The model of a prototxt, or undefined. It is looked for again when the net's weights or the files change. */
  of(document: vscode.TextDocument): Promise<PairedModel | undefined> {
    const layers = JSON.stringify(
      weightedLayers(this.documents.analysis(document)).map(({ name, shapes }) => [name, shapes]),
    );
    const key = document.uri.toString();
    const known = this.pairs.get(key);
    if (known?.layers === layers) return known.pair;
    const pair = this.find(document).catch((error: unknown) => {
      this.log.warn(`Looking for the weights of ${document.uri.fsPath} failed: ${String(error)}`);
      return undefined;
    });
    this.pairs.set(key, { layers, pair });
    return pair;
  }

  /** Remembers the model of a prototxt: `null` for none, `undefined` to look for one again. */
  async choose(document: vscode.TextDocument, model: vscode.Uri | null | undefined): Promise<void> {
    const choices = { ...this.choices() };
    const key = document.uri.toString();
    if (model === undefined) Reflect.deleteProperty(choices, key);
    else choices[key] = model && model.toString();
    await this.state.update(choicesKey, choices);
    this.forget();
  }

  /** The models that could go with a prototxt, the best first, and how well each fits. */
  async candidates(document: vscode.TextDocument): Promise<{ uri: vscode.Uri; fit: Fit }[]> {
    const all = await this.lookAround(document);
    const ranked = rankPairs(fileName(document.uri), all);
    return [...ranked, ...all.filter((one) => !ranked.includes(one))];
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
  }

  private choices(): Choices {
    return this.state.get<Choices>(choicesKey, {});
  }

  private forget(): void {
    this.pairs.clear();
    this.changes.fire();
  }

  private async find(document: vscode.TextDocument): Promise<PairedModel | undefined> {
    const choice = this.choices()[document.uri.toString()];
    if (choice === null) return undefined;
    if (choice !== undefined) {
      const uri = vscode.Uri.parse(choice);
      const model = await this.open(uri);
      if (model) return { uri, model, chosen: true };
    }
    if (weightedLayers(this.documents.analysis(document)).length === 0) return undefined;
    const [best] = rankPairs(fileName(document.uri), await this.lookAround(document));
    return best && { uri: best.uri, model: best.model, chosen: false };
  }

  /** All models in the folder of a prototxt, and those that solvers there write. */
  private async lookAround(document: vscode.TextDocument): Promise<ModelCandidate[]> {
    if (document.uri.scheme !== 'file') return [];
    const folder = vscode.Uri.joinPath(document.uri, '..');
    const snapshots = await this.snapshotsOf(document, folder);
    const isModel = (name: string) => /\.caffemodel(\.h5)?$/.test(name);
    const inFolder = (await namesIn(folder)).filter(isModel).map((name) => ({
      uri: vscode.Uri.joinPath(folder, name),
      isSnapshot: snapshots.some(matches(folder, name)),
    }));
    const elsewhere: typeof inFolder = [];
    for (const prefix of snapshots) {
      const place = vscode.Uri.joinPath(prefix, '..');
      if (place.path === folder.path) continue;
      for (const name of await namesIn(place))
        if (isModel(name) && matches(place, name)(prefix))
          elsewhere.push({ uri: vscode.Uri.joinPath(place, name), isSnapshot: true });
    }
    const layers = weightedLayers(this.documents.analysis(document));
    const found = await Promise.all(
      [...inFolder, ...elsewhere].slice(0, mostCandidates).map(async ({ uri, isSnapshot }) => {
        const model = await this.open(uri);
        return model && { uri, model, isSnapshot, fileName: fileName(uri), fit: fitOf(layers, model) };
      }),
    );
    return found.filter((one) => one !== undefined);
  }

  /** Where the solvers in a folder that train this net put their snapshots: paths without `_iter_…`. */
  private async snapshotsOf(document: vscode.TextDocument, folder: vscode.Uri): Promise<vscode.Uri[]> {
    const prefixes: vscode.Uri[] = [];
    for (const name of await namesIn(folder)) {
      if (!/solver.*\.prototxt$/i.test(name)) continue;
      const uri = vscode.Uri.joinPath(folder, name);
      try {
        const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
        const { snapshot_prefix, net, train_net } = parseSolver(text, name);
        const trainedNet = net ?? train_net;
        const trained = trainedNet ? await resolveFile(uri, trainedNet) : undefined;
        if (!snapshot_prefix || trained?.path !== document.uri.path) continue;
        prefixes.push(
          snapshot_prefix.startsWith('/')
            ? folder.with({ path: snapshot_prefix })
            : vscode.Uri.joinPath(folder, snapshot_prefix),
        );
        // Caffe is often started above the folder; the names tell all the same.
        prefixes.push(vscode.Uri.joinPath(folder, snapshot_prefix.split('/').at(-1)!));
      } catch (error) {
        this.log.debug(`${uri.fsPath} is no solver: ${String(error)}`);
      }
    }
    return prefixes;
  }

  /** The index of a model; undefined when it cannot be read. */
  private async open(uri: vscode.Uri): Promise<Model | undefined> {
    try {
      const { mtime, size } = await vscode.workspace.fs.stat(uri);
      const stamp = `${mtime} ${size}`;
      const known = this.models.get(uri.path);
      if (known?.stamp === stamp) return await known.model;
      const model = indexOf(uri.fsPath);
      this.models.set(uri.path, { stamp, model });
      return await model;
    } catch (error) {
      this.log.debug(`${uri.fsPath} cannot be paired: ${String(error)}`);
      return undefined;
    }
  }
}

async function indexOf(path: string): Promise<Model> {
  const source = await openFile(path);
  try {
    return await openModel(source);
  } finally {
    await source.close();
  }
}

export const fileName = (uri: vscode.Uri): string => uri.path.split('/').at(-1)!;

const matches =
  (folder: vscode.Uri, name: string) =>
  (prefix: vscode.Uri): boolean =>
    vscode.Uri.joinPath(folder, name).path.startsWith(`${prefix.path}_iter_`);

async function namesIn(folder: vscode.Uri): Promise<string[]> {
  try {
    const entries = await vscode.workspace.fs.readDirectory(folder);
    return entries.filter(([, type]) => (type & vscode.FileType.Directory) === 0).map(([name]) => name);
  } catch {
    return [];
  }
}

/** The prototxt of the active editor, if it shows one. */
export function activePrototxt(): vscode.TextDocument | undefined {
  const document = vscode.window.activeTextEditor?.document;
  return document?.languageId === languageId ? document : undefined;
}
