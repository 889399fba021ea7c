import { basename } from 'node:path';
import { stat } from 'node:fs/promises';
import * as vscode from 'vscode';
import { CaffeError } from '../caffe/errors';
import { isPruned, withoutExtension } from '../caffe/modelName';
import { phrase } from '../phrase';
import type { LongJob, NetOnData, PageJobs, RetrainEvent } from '../protocol';
import type { JobHandlers } from '../rpc';
import { saliencyFileOf } from '../sparsity/recipe';
import type { WorkerClient } from '../worker/client';
import { engineOptions } from './engine';
import { askExisting, openModel } from './pruning';
import { Labor } from './labor';
import { RunChoices } from './runChoices';

type Labors = { [Job in LongJob]?: Labor<PageJobs[Job]['event'], PageJobs[Job]['result']> };

/** What runs on a model beyond its pages: its long jobs and the files they run with. */
export class Runs {
  readonly choices: RunChoices;
  readonly labors: Labors = {};

  constructor(
    readonly uri: vscode.Uri,
    readonly workers: { viewer: WorkerClient; laborer: WorkerClient },
    memory: vscode.Memento,
  ) {
    this.choices = new RunChoices(uri, workers.viewer, memory);
  }

  /** Ends what runs: the last editor of the model was closed. A retraining leaves its checkpoint. */
  dispose(): void {
    for (const labor of Object.values(this.labors)) labor.cancel();
  }
}

type RunJob =
  | 'runFiles'
  | 'trainingData'
  | 'chooseFile'
  | 'sweepFigures'
  | 'steer'
  | 'thumbnails'
  | 'classify'
  | 'openRetrained'
  | LongJob;

/** What the extension does for the views of a page that run the net. */
export function runJobs({ uri, choices, labors, workers }: Runs): Pick<JobHandlers<PageJobs>, RunJob> {
  const { laborer, viewer } = workers;
  const model = uri.fsPath;
  /** What an evaluation found is kept beside the model. */
  const evaluationFile = `${withoutExtension(model)}.evaluation.json`;
  /** What the evaluation that is shown ran on. */
  let evaluated: NetOnData | undefined;
  /** Solver, net and data of a retraining. */
  const trainedWith = async (known?: Awaited<ReturnType<typeof choices.chosen>>) => {
    const chosen = known ?? (await choices.chosen());
    const { netFile, data, workspaceFolders } = await choices.netOnData(chosen);
    const { solver, trainData } = chosen;
    return { solverFile: solver, netFile, trainData, testData: data, workspaceFolders };
  };
  /** What the saliency of weights is measured with. */
  const measuredWith = async () => {
    const chosen = await choices.chosen();
    return { ...(await choices.netOnData(chosen)), calibration: { data: chosen.trainData } };
  };

  return {
    async *runFiles() {
      yield* [];
      requireRunnable(uri);
      return choices.files();
    },
    async *trainingData(_params, { signal }) {
      requireRunnable(uri);
      return yield* viewer.start('trainingData', await trainedWith(), signal);
    },
    async *chooseFile({ what }) {
      yield* [];
      requireRunnable(uri);
      await choices.choose(what);
      return choices.files();
    },

    async *evaluate(request, { signal }) {
      if (request) {
        requireFree(labors.evaluate, uri);
        const chosen = await choices.chosen();
        const files = await choices.netOnData(chosen);
        // Dense models come first: the others are compared with the first one.
        const models = [model, ...(chosen.compared ?? [])].sort(
          (a, b) => Number(isPruned(a)) - Number(isPruned(b)),
        );
        const params = { ...request, ...files, models, results: evaluationFile };
        labors.evaluate = new Labor((abort) =>
          laborer.start('evaluate', { ...params, engine: engineOptions() }, abort),
        );
      }
      const labor = labors.evaluate;
      const result =
        labor && (request || !labor.wasCancelled)
          ? yield* labor.follow(signal)
          : uri.scheme === 'file'
            ? await viewer.run('keptEvaluation', { results: evaluationFile }, { signal })
            : undefined;
      evaluated = result && { netFile: result.net, data: result.netData };
      return result;
    },

    async *saliency(request, { signal }) {
      const target = saliencyFileOf(model);
      if (request) {
        requireFree(labors.saliency, uri);
        const params = { ...(await measuredWith()), model, target, engine: engineOptions() };
        labors.saliency = new Labor(async function* (abort) {
          yield* laborer.start('saliency', params, abort);
          return undefined;
        });
      }
      if (labors.saliency && (request || labors.saliency.isRunning)) yield* labors.saliency.follow(signal);
      if (uri.scheme !== 'file') return undefined;
      const [at, changed] = await Promise.all([target, model].map(modifiedAt));
      return at === undefined ? undefined : { file: basename(target), at, outdated: (changed ?? 0) > at };
    },

    async *sweep(request, { signal }) {
      if (request) {
        requireFree(labors.sweep, uri);
        requireFree(labors.chooseKeeps, uri);
        const params = { ...request, ...(await measuredWith()), model, engine: engineOptions() };
        labors.sweep = new Labor((abort) => laborer.start('sweep', params, abort));
        // What was chosen from the former figures counts no more.
        labors.chooseKeeps = undefined;
      }
      if (labors.sweep) yield* labors.sweep.follow(signal);
    },

    async *sweepFigures(_params, { signal }) {
      if (uri.scheme !== 'file') return [];
      const { net } = vscode.workspace.isTrusted ? await choices.chosen() : {};
      return yield* viewer.start('sweepFigures', { model, netFile: net }, signal);
    },

    async *chooseKeeps(request, { signal }) {
      if (request) {
        requireFree(labors.sweep, uri);
        requireFree(labors.chooseKeeps, uri);
        const params = { ...request, ...(await choices.netOnData()), model, engine: engineOptions() };
        labors.chooseKeeps = new Labor((abort) => laborer.start('chooseKeeps', params, abort));
      }
      return labors.chooseKeeps && (yield* labors.chooseKeeps.follow(signal));
    },

    async *retrain(request, { signal }) {
      if (request) {
        requireFree(labors.retrain, uri);
        const chosen = await choices.chosen();
        const { companions } = chosen;
        const { resume, ...wanted } = request;
        const existing = await askExisting(viewer, model);
        if (!existing) return undefined;
        // A pruned model is to reach the accuracy of the one that it was made from.
        const baseline = isPruned(model) ? companions.models.find((file) => !isPruned(file)) : undefined;
        const params = {
          ...wanted,
          ...(await trainedWith(chosen)),
          ...{ file: model, baseline },
          existing,
          [resume ? 'resume' : 'abandoned']: companions.checkpoints.at(0)?.state,
          engine: engineOptions(),
        };
        labors.retrain = new Labor(
          (abort, control) => laborer.start('retrain', params, abort, control),
          spaced(),
        );
      }
      return labors.retrain && (yield* labors.retrain.follow(signal));
    },

    async *steer({ job, to }) {
      yield* [];
      if (to === 'cancel') labors[job]?.cancel();
      else labors[job]?.control.steer(to);
    },

    async *thumbnails(params, { signal }) {
      requireRunnable(uri);
      return yield* viewer.start(
        'thumbnails',
        { ...params, ...(await choices.netOnData()), ...evaluated },
        signal,
      );
    },

    async *classify(given, { signal }) {
      requireRunnable(uri);
      const image = given
        ? { name: given.name, bytes: Buffer.from(given.base64, 'base64') }
        : await askImage(uri);
      if (image === undefined) return undefined;
      const chosen = await choices.chosen();
      const { netFile, workspaceFolders } = await choices.netOnData(chosen);
      const trainVal = chosen.companions.nets.find(({ hasData }) => hasData)?.file;
      const params = { model, netFile, image, trainVal, workspaceFolders, engine: engineOptions() };
      const result = yield* laborer.start('classify', params, signal);
      return { ...result, image: typeof image === 'string' ? basename(image) : image.name };
    },

    async *openRetrained(_params, { signal }) {
      const job = labors.retrain?.follow(signal);
      for (let step = await job?.next(); step; step = await job?.next()) {
        if (!step.done) continue;
        if (step.value) await openModel(vscode.Uri.file(step.value.outputs.dense));
        return;
      }
      yield* [];
    },
  };
}

const modifiedAt = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );

/** @throws CaffeError where a job may not or cannot run */
function requireRunnable(uri: vscode.Uri): void {
  if (!vscode.workspace.isTrusted) {
    throw new CaffeError(phrase`This reads other files of the workspace: trust the workspace first.`);
  }
  if (uri.scheme !== 'file') {
    throw new CaffeError(phrase`The model is in a virtual folder: copy it and its net to a disk first.`);
  }
}

function requireFree(labor: { isRunning: boolean } | undefined, uri: vscode.Uri): void {
  requireRunnable(uri);
  if (labor?.isRunning) throw new CaffeError(phrase`This is running already.`);
}

/** How many of the events of a retraining a page gets that comes later, besides those that it must not miss. */
const remembered = 1_000;

/** Which events of a retraining are remembered: all that measure, and of the others as many as a chart can show. */
function spaced(): (event: RetrainEvent) => boolean {
  let last = -Infinity;
  return ({ iteration, iterations, measurement, baseline }) => {
    if (measurement ?? baseline) return true;
    if (iteration - last < iterations / remembered) return false;
    last = iteration;
    return true;
  };
}

async function askImage(uri: vscode.Uri): Promise<string | undefined> {
  const [image] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Choose a picture'),
      filters: { [vscode.l10n.t('Pictures')]: ['png', 'jpg', 'jpeg'] },
      defaultUri: vscode.Uri.joinPath(uri, '..'),
    })) ?? [];
  return image?.fsPath;
}
