import { openFile } from '../caffe/byteSource';
import { CaffeError } from '../caffe/errors';
import { openModel } from '../caffe/model';
import { phrase, type Phrase } from '../phrase';
import { countKept } from '../sparsity/masks';
import type { Recipe, SparseEncoding } from '../sparsity/recipe';
import { finerThanChance, likelyShare } from '../sparsity/standardError';
import { autoPrune } from './autoPrune';
import { withCheckpoint } from './checkpoint';
import { digestOf } from './digest';
import type { Job } from './job';
import { loadWeights } from './loadWeights';
import { chooseOutputs, type Existing, type OutputPaths } from './outputs';
import {
  type Achieved,
  type LossPart,
  type Measurement,
  type RetrainEvent,
  RetrainSession,
  type RunNotes,
  scoreOf,
} from './retrainSession';
import { applySchedule, type AutoSchedule, type PrunedParam, prunedParams, type Schedule } from './schedule';
import type { TrainingContext } from './train';
import { type MeasuredOn, Trainer, type TrainingSource } from './trainer';
import { writePruned } from './writePruned';

export interface RetrainParameters extends TrainingSource, RunNotes {
  /** The model to retrain, dense or pruned. Weights that are zero in a chosen blob stay pruned. */
  file: string;
  /** Iterations between two measurements, which are also checkpoints; a twentieth of all when missing. */
  measureEvery?: number;
  /** Model whose accuracy is the aim; the one to retrain when missing. */
  baseline?: string;
  existing: Existing;
  /** A `.solverstate` that an earlier, interrupted run of the same parameters left. */
  resume?: string;
  /** One of a run that is given up: it is removed once this run has a checkpoint of its own. */
  abandoned?: string;
}

/** What the recipe tells of a retraining. */
export interface RetrainReport {
  schedule: Schedule | AutoSchedule;
  choices: RetrainParameters['choices'];
  iterations: number;
  engine: string;
  chosenOn: MeasuredOn;
  heldOut: number;
  baseline: Achieved;
  /** Of the weights that are written: those with the best accuracy at the final sparsity. */
  best: Measurement;
  last: Measurement;
  history: Measurement[];
  /** Data that took the place of what the net names. */
  trainData?: string;
  testData?: string;
  /** The training loss from the beginning to the end. */
  losses: LossPart[];
}

export interface RetrainResult {
  outputs: OutputPaths;
  recipe: Recipe;
  /** What the recipe warns of, for the user. */
  warnings: Phrase[];
  report: RetrainReport;
  seconds: number;
}

/**
 * Retrains a model while its weights become fewer, and writes the best of it as pruning does. Pruned weights are zero
 * after every update. What is best is judged on the part held out of the training data, or on the test data where
 * nothing is held out. Every measurement leaves a checkpoint (`<model>.retraining_iter_<n>`) that the run can go on
 * from, to the same bytes as if it had not been interrupted; the checkpoints before it, and all of them at the end, are
 * removed.
 * @throws CaffeError when it cannot begin, the data or the disk fail, or the loss becomes NaN (with the layer in which
 * it first appeared); it names the checkpoint to go on from
 */
export async function* retrain(
  {
    file,
    choices,
    schedule,
    iterations,
    baseline: baselineFile,
    encoding,
    existing,
    resume,
    abandoned,
    ...rest
  }: RetrainParameters,
  context: TrainingContext,
): Job<RetrainEvent, RetrainResult> {
  const { measureEvery = Math.max(1, Math.ceil(iterations / 20)), ...source } = rest;
  const { signal, engine, control } = context;
  const begin = performance.now();
  const notes: RunNotes = { choices, schedule, iterations, holdOut: rest.holdOut, encoding };
  const outputs = await chooseOutputs(file, existing);
  const trainer = await Trainer.open(
    { ...source, solver: { ...source.solver, max_iter: iterations } },
    engine,
  );
  const session = new RetrainSession(trainer, file, notes, abandoned);
  try {
    const chosenOn: MeasuredOn = trainer.measures('validation') ? 'validation' : 'test';
    if (!trainer.measures(chosenOn)) {
      throw new CaffeError(
        phrase`The solver has no test net, so that nothing tells how good the weights are`,
        {
          file: source.solverFile,
          advice: phrase`Give it a test_iter and a net with a TEST phase`,
        },
      );
    }
    yield { ...session.progress(0), message: phrase`measuring the baseline` };
    await loadWeights(trainer.net, baselineFile ?? file, signal);
    const baseline = await session.achieved(signal);
    yield { ...session.progress(0), baseline };
    if (baselineFile !== undefined) await loadWeights(trainer.net, file, signal);
    const original = await digestOf(file, signal);

    session.params = prunedParams(trainer, choices);
    if (resume !== undefined) yield* session.resume(resume, signal);
    session.startClock();
    if (schedule.kind === 'auto') {
      yield* autoPrune(session, schedule, { baseline: baseline[chosenOn]!, chosenOn, iterations, context });
    } else {
      const isBest = (score: number) =>
        atFinalSparsity(session.params) &&
        (session.best === undefined || score >= scoreOf(session.best.measurement[chosenOn]!));
      for (let done = trainer.solver.iteration; done < iterations && control?.stopping !== true; done++) {
        applySchedule(schedule, trainer, session.params, done, iterations);
        // What the pruned weights achieve untrained: from there the accuracy has to come back.
        if (session.history.length === 0) yield* session.measure(chosenOn, isBest, signal);
        yield* session.step(done + 1, context);
        if ((done + 1) % measureEvery === 0 || done + 1 === iterations) {
          yield* session.measure(chosenOn, isBest, signal);
        }
      }
      if (session.history.at(-1)?.iteration !== trainer.solver.iteration) {
        // Stopped between two measurements: the last weights may be the best.
        yield* session.measure(chosenOn, isBest, signal);
      }
    }
    const last = session.history.at(-1)!;
    const report: RetrainReport = {
      schedule,
      choices,
      iterations: trainer.solver.iteration,
      engine: engine.name,
      chosenOn,
      heldOut: baseline.validation?.items ?? 0,
      baseline,
      best: session.best?.measurement ?? last,
      last,
      history: session.history,
      trainData: source.trainData,
      testData: source.testData,
      losses: session.losses,
    };
    session.takeBest();
    const written = await write(session, { file, original, outputs, existing, encoding, report }, signal);
    await session.removeCheckpoint();
    return { outputs, ...written, report, seconds: (performance.now() - begin) / 1000 };
  } catch (error) {
    throw withCheckpoint(error, session.checkpoint);
  } finally {
    await trainer.dispose();
  }
}

const atFinalSparsity = (params: readonly PrunedParam[]) =>
  params.every(({ mask, keep }) => countKept(mask) <= Math.ceil(mask.length * keep) + 1);

/** What a search for the sparsest weights cannot tell: whether the accuracy is within a tolerance finer than chance. */
function warningsOf({ schedule, chosenOn, baseline }: RetrainReport): Phrase[] {
  const { accuracy, items } = baseline[chosenOn]!;
  if (schedule.kind !== 'auto' || accuracy === undefined) return [];
  const finer = finerThanChance(schedule.tolerance, likelyShare(accuracy, items), items);
  if (!finer) return [];
  const { error, enough } = finer;
  const points = (part: number) => (100 * part).toFixed(2);
  const warning = phrase`the tolerance of ${points(schedule.tolerance)} points is finer than ${items} items can tell: chance alone moves an accuracy measured on them by about ${points(error)} points`;
  return [Number.isFinite(enough) ? phrase`${warning}; ${enough} items would do` : warning];
}

/** Writes the net's weights into a copy of the model, and the sparse file and recipe beside it. */
async function write(
  { trainer }: RetrainSession,
  what: {
    file: string;
    /** SHA-256 of the file when the run began. */
    original: string;
    outputs: OutputPaths;
    existing: Existing;
    encoding: SparseEncoding;
    report: RetrainReport;
  },
  signal: AbortSignal,
): Promise<Pick<RetrainResult, 'recipe' | 'warnings'>> {
  const { file, original, outputs, existing, encoding, report } = what;
  if ((await digestOf(file, signal)) !== original) {
    throw new CaffeError(
      phrase`the model is not the one that the retraining began with: its digest differs`,
      {
        file,
        advice: phrase`Put the model back as it was`,
      },
    );
  }
  const weights = new Map(trainer.net.weights().map(({ name, blobs }) => [name, blobs]));
  const chosen = new Set(report.choices.map(({ layer, blob }) => `${blob} ${layer}`));
  const source = await openFile(file);
  try {
    return await writePruned({
      source,
      model: await openModel(source),
      outputs,
      replace: existing === 'replace',
      signal,
      report: () => undefined,
      sha256: () => Promise.resolve(original),
      plan: {
        encoding,
        seed: 1,
        choices: report.choices.map((choice) => ({ ...choice, method: 'keep' as const })),
      },
      changeOf(layer, blob) {
        const trained = weights.get(layer.name)?.[blob.index];
        return (
          trained && {
            pruned: chosen.has(`${blob.index} ${layer.name}`),
            apply(values) {
              // +0 where pruned: a mask leaves no -0, but weight decay of a dead unit may.
              values.set(trained.data.map((value) => (value === 0 ? 0 : value)));
              return {};
            },
          }
        );
      },
      warnings: warningsOf(report),
      extra: { retraining: report },
    });
  } finally {
    await source.close();
  }
}
