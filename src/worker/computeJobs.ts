import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import type { SolverParameter } from '../caffe/messages';
import { keepsWithin } from '../jobs/chooseKeeps';
import { classify } from '../jobs/classify';
import { findCompanions } from '../jobs/companions';
import { digestOf } from '../jobs/digest';
import { defaultSolver } from '../jobs/defaultSolver';
import { evaluate } from '../jobs/evaluate';
import { readKeptEvaluation } from '../jobs/keptEvaluation';
import { chooseJointly } from '../jobs/joint';
import { digestOfNet, readNetFile, readSolverFile } from '../jobs/netFile';
import { retrain } from '../jobs/retrain';
import { saliency } from '../jobs/saliency';
import { writeSaliency } from '../jobs/saliencyFile';
import { unfinished } from '../jobs/snapshots';
import { sweep } from '../jobs/sweep';
import {
  baselineOf,
  figuresOf,
  loadSweep,
  sweepFile,
  type SweepResults,
  waitingOf,
} from '../jobs/sweepResults';
import { thumbnails } from '../jobs/thumbnails';
import { train } from '../jobs/train';
import { findTrainingData } from '../jobs/trainingData';
import type { SolverFiles, SweepChange, SweepFigures, WorkerJobs } from '../protocol';
import type { JobHandlers } from '../rpc';
import { saliencyFileOf } from '../sparsity/recipe';
import { createEngine, type EngineOptions } from '../tensor/createEngine';
import type { Engine } from '../tensor/engine';

type ComputeJob =
  | 'companions'
  | 'evaluate'
  | 'keptEvaluation'
  | 'thumbnails'
  | 'classify'
  | 'saliency'
  | 'sweep'
  | 'sweepFigures'
  | 'chooseKeeps'
  | 'trainingData'
  | 'retrain'
  | 'train'
  | 'snapshots';

/** The jobs of the worker that run nets, and what they need to know of files. */
export function computeJobs(): Pick<JobHandlers<WorkerJobs>, ComputeJob> {
  return {
    async *companions({ path }) {
      yield* [];
      return findCompanions(path);
    },

    evaluate: ({ engine, ...params }, context) =>
      withEngine(engine, (opened) => evaluate(params, { ...context, engine: opened })),

    async *keptEvaluation({ results }) {
      yield* [];
      return readKeptEvaluation(results);
    },

    async *thumbnails({ items, ...source }) {
      yield* [];
      return thumbnails(source, items);
    },

    classify: ({ engine, ...params }, context) =>
      withEngine(engine, async function* (opened) {
        yield* [];
        return classify(params, { ...context, engine: opened });
      }),

    saliency: ({ engine, target, ...params }, context) =>
      withEngine(engine, async function* (opened) {
        const measured = yield* saliency(params, { ...context, engine: opened });
        await writeSaliency(target, measured, { replace: true, signal: context.signal });
      }),

    async *sweep({ engine, ...params }, context) {
      const files = { results: sweepFile(params.model), saliencyFile: saliencyFileOf(params.model) };
      yield* withEngine(engine, (opened) => sweep({ ...params, ...files }, { ...context, engine: opened }));
    },

    async *sweepFigures({ model, netFile }, { signal }) {
      const file = sweepFile(model);
      if (!existsSync(file)) return [];
      const results = await loadSweep(file);
      yield figuresFor(results, basename(file));
      const changes: SweepChange[] = [];
      if ((await digestOf(model, signal)) !== results.model.sha256) changes.push('model');
      if (netFile !== undefined && digestOfNet(await readNetFile(netFile)) !== results.net.sha256)
        changes.push('net');
      return changes;
    },

    async *chooseKeeps({ engine, goal, ...params }, context) {
      const results = await loadSweep(sweepFile(params.model));
      if ('each' in goal) return { goal, keeps: keepsWithin(results, goal.each) };
      const joint = { ...params, results, goal, limit: results.limit };
      const verified = yield* withEngine(engine, (opened) =>
        chooseJointly(joint, { ...context, engine: opened }),
      );
      return { goal, keeps: verified.keeps, verified };
    },

    async *trainingData({ solverFile, netFile, ...params }) {
      yield* [];
      return findTrainingData({ ...params, ...(await solverOf({ solverFile, netFile })) });
    },

    retrain: ({ engine, solverFile, netFile, ...params }, context) =>
      withEngine(engine, async function* (opened) {
        const source = await solverOf({ solverFile, netFile });
        return yield* retrain({ ...params, ...source }, { ...context, engine: opened });
      }),

    train: ({ engine, ...params }, context) =>
      withEngine(engine, async function* (opened) {
        const solver = await readSolverFile(params.solverFile);
        return yield* train({ ...params, solver }, { ...context, engine: opened });
      }),

    async *snapshots(params) {
      yield* [];
      return unfinished({ ...params, solver: await readSolverFile(params.solverFile) });
    },
  };
}

async function solverOf({ solverFile, netFile = '' }: SolverFiles): Promise<{
  solver: SolverParameter;
  solverFile: string;
}> {
  return solverFile === undefined
    ? { solver: defaultSolver(netFile), solverFile: netFile }
    : { solver: await readSolverFile(solverFile), solverFile };
}

/** Runs a job with an engine of its own, which gives its memory and threads back afterwards. */
async function* withEngine<Event, Result>(
  options: EngineOptions,
  use: (engine: Engine) => AsyncGenerator<Event, Result, void>,
): AsyncGenerator<Event, Result, void> {
  const engine = createEngine(options);
  try {
    return yield* use(engine);
  } finally {
    engine.dispose();
  }
}

const figuresFor = (results: SweepResults, file: string): SweepFigures => ({
  ...{ items: results.items, limit: results.limit, ranking: results.ranking, data: results.data, file },
  figures: figuresOf(results.points),
  waiting: waitingOf(results.points),
  baseline: baselineOf(results.baseline),
  complete: results.baseline.done && results.points.every(({ state }) => state !== 'open'),
});
