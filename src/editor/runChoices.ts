import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { CaffeError } from '../caffe/errors';
import { phrase } from '../phrase';
import type { NetOnData, RunFile, RunFiles, WorkerJobs } from '../protocol';
import type { WorkerClient } from '../worker/client';
import { engineName } from './engine';
import { workspacePaths } from './localFile';
import { pathWithin } from './pathWithin';

/** Paths that the user chose for a model. */
interface Chosen {
  net?: string;
  data?: string;
  trainData?: string;
  solver?: string;
  compared?: string[];
}

type Companions = WorkerJobs['companions']['result'];

/** The files that a model is run with: those that the user chose, which are remembered, or else the likeliest beside it. */
export class RunChoices {
  constructor(
    private readonly uri: vscode.Uri,
    private readonly worker: WorkerClient,
    private readonly memory: vscode.Memento,
  ) {}

  /** The net and its data, as jobs take them; of what was `chosen`, where that is known already. @throws CaffeError when no net is chosen */
  async netOnData(chosen?: Chosen): Promise<NetOnData> {
    const { net, data } = chosen ?? (await this.chosen());
    if (net === undefined) throw new CaffeError(phrase`Choose the net first: its prototxt.`);
    return { netFile: net, data, workspaceFolders: workspacePaths() };
  }

  async chosen(): Promise<Chosen & { companions: Companions }> {
    const companions = await this.worker.run('companions', { path: this.uri.fsPath });
    const { net, data, trainData, solver, compared } = this.remembered();
    return {
      net: net ?? companions.nets.at(0)?.file,
      data,
      trainData,
      solver: solver ?? companions.solvers.at(0),
      compared: compared ?? companions.models,
      companions,
    };
  }

  /** The choices by the names that the page shows. */
  async files(): Promise<RunFiles> {
    const { net, data, trainData, solver, compared, companions } = await this.chosen();
    const checkpoint = companions.checkpoints.at(0);
    return {
      net: net && this.nameOf(net),
      netHasData: companions.nets.find(({ file }) => file === net)?.hasData ?? true,
      data: data && this.nameOf(data),
      trainData: trainData && this.nameOf(trainData),
      solver: solver && this.nameOf(solver),
      compared: (compared ?? []).map((file) => this.nameOf(file)),
      checkpoint: checkpoint && { iteration: checkpoint.iteration, run: checkpoint.run },
      engine: engineName(),
    };
  }

  /** Asks for one of the files; nothing changes when the user thinks better of it. */
  async choose(what: RunFile): Promise<void> {
    const { companions } = await this.chosen();
    const ask = {
      net: () =>
        this.askFile(
          vscode.l10n.t('Choose the net'),
          companions.nets.map(({ file }) => file),
        ),
      solver: () => this.askFile(vscode.l10n.t('Choose the solver'), companions.solvers),
      data: () => this.askData(vscode.l10n.t('Choose the data to test on')),
      trainData: () => this.askData(vscode.l10n.t('Choose the data to train on')),
      compared: () => this.askCompared(companions.models),
    }[what];
    const answer = await ask();
    if (answer === undefined) return;
    const value = Array.isArray(answer) ? answer : (answer.path ?? undefined);
    await this.memory.update(this.key, { ...this.remembered(), [what]: value });
  }

  private get key(): string {
    return `caffePruner.runChoices:${this.uri.toString()}`;
  }

  private remembered(): Chosen {
    return this.memory.get<Chosen>(this.key, {});
  }

  /** Relative to the model's folder where it is in there, else to the workspace. */
  private nameOf(path: string): string {
    return pathWithin(dirname(this.uri.fsPath), path) ?? vscode.workspace.asRelativePath(path);
  }

  private async askFile(title: string, near: readonly string[]): Promise<{ path: string } | undefined> {
    const browse = { label: vscode.l10n.t('Browse…'), path: '' };
    const items = near.map((path) => ({ label: this.nameOf(path), path }));
    const picked =
      near.length === 0 ? browse : await vscode.window.showQuickPick([...items, browse], { title });
    if (picked !== browse) return picked;
    return this.browse(title, { Prototxt: ['prototxt', 'txt'] });
  }

  private async askData(title: string): Promise<{ path: string | undefined } | undefined> {
    const own = { label: vscode.l10n.t('What the Net Names') };
    const folder = {
      label: vscode.l10n.t('A Folder…'),
      detail: vscode.l10n.t('LMDB or LevelDB, as Caffe’s tools write them'),
    };
    const file = {
      label: vscode.l10n.t('A File…'),
      detail: vscode.l10n.t('IDX (MNIST), CIFAR batches, a list of images, a list of HDF5 files'),
    };
    const picked = await vscode.window.showQuickPick([own, folder, file], { title });
    if (picked === undefined) return undefined;
    return picked === own ? { path: undefined } : this.browse(title, undefined, picked === folder);
  }

  private async askCompared(near: readonly string[]): Promise<string[] | undefined> {
    const { compared = near } = this.remembered();
    const all = [...new Set([...near, ...compared])];
    const items = all.map((path) => ({ label: this.nameOf(path), path, picked: compared.includes(path) }));
    const browse = { label: vscode.l10n.t('Browse…'), path: '', picked: false };
    const title = vscode.l10n.t('Choose models to compare with');
    const picked = await vscode.window.showQuickPick([...items, browse], { title, canPickMany: true });
    if (picked === undefined) return undefined;
    const paths = picked.filter((item) => item !== browse).map(({ path }) => path);
    if (!picked.includes(browse)) return paths;
    const more = await this.browse(title, { [vscode.l10n.t('Caffe Model')]: ['caffemodel', 'h5', 'npz'] });
    return more ? [...paths, more.path] : paths;
  }

  private async browse(
    title: string,
    filters?: Record<string, string[]>,
    folders = false,
  ): Promise<{ path: string } | undefined> {
    const [uri] =
      (await vscode.window.showOpenDialog({
        title,
        filters,
        canSelectFolders: folders,
        canSelectFiles: !folders,
        defaultUri: vscode.Uri.joinPath(this.uri, '..'),
      })) ?? [];
    return uri && { path: uri.fsPath };
  }
}
