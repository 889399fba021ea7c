import { existsSync } from 'node:fs';
import { keepsWithin } from '../jobs/chooseKeeps';
import { classify } from '../jobs/classify';
import { findCompanions } from '../jobs/companions';
import { defaultSolver } from '../jobs/defaultSolver';
import { evaluate } from '../jobs/evaluate';
import { readKeptEvaluation } from '../jobs/keptEvaluation';
import { chooseJointly } from '../jobs/joint';
import { readSolverFile } from '../jobs/netFile';
import { retrain } from '../jobs/retrain';
import { sweep } from '../jobs/sweep';
import { figuresOf, loadSweep, type SweepResults } from '../jobs/sweepResults';
import { accuracyOf } from '../jobs/tally';
import { thumbnails } from '../jobs/thumbnails';
import { train } from '../jobs/train';
import type { SweepFigures, WorkerJobs } from '../protocol';
import type { JobHandlers } from '../rpc';
import { createEngine, type EngineOptions } from '../tensor/createEngine';
import type { Engine } from '../tensor/engine';

type ComputeJob =
  | 'companions'
  | 'evaluate'
  | 'keptEvaluation'
  | 'thumbnails'
  | 'classify'
  | 'sweep'
  | 'sweepFigures'
  | 'chooseKeeps'
  | 'retrain'
  | 'train';

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

    sweep: ({ engine, ...params }, context) =>
      withEngine(engine, async function* (opened) {
        return summaryOf(yield* sweep(params, { ...context, engine: opened }));
      }),

    async *sweepFigures({ results }) {
      yield* [];
      return existsSync(results) ? summaryOf(await loadSweep(results)) : undefined;
    },

    async *chooseKeeps({ engine, results: file, goal, ...params }, context) {
      const results = await loadSweep(file);
      if ('each' in goal) return { keeps: keepsWithin(results, goal.each) };
      const verified = yield* withEngine(engine, (opened) =>
        chooseJointly({ ...params, results, goal }, { ...context, engine: opened }),
      );
      return { keeps: verified.keeps, verified };
    },

    retrain: ({ engine, solverFile, netFile, ...params }, context) =>
      withEngine(engine, async function* (opened) {
        const solver = solverFile ? await readSolverFile(solverFile) : defaultSolver(netFile ?? '');
        const source = { solver, solverFile: solverFile ?? netFile ?? '' };
        return yield* retrain({ ...params, ...source }, { ...context, engine: opened });
      }),

    train: ({ engine, ...params }, context) =>
      withEngine(engine, async function* (opened) {
        const solver = await readSolverFile(params.solverFile);
        return yield* train({ ...params, solver }, { ...context, engine: opened });
      }),
  };
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

const summaryOf = ({ points, baseline, weights }: SweepResults): SweepFigures => ({
  figures: figuresOf(points),
  baseline: { accuracy: accuracyOf(baseline), items: baseline.items },
  weights,
  complete: baseline.done && points.every(({ state }) => state !== 'open'),
});
