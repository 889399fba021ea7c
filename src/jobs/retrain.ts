import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { openFile } from '../caffe/byteSource';
import { CaffeError } from '../caffe/errors';
import { openModel } from '../caffe/model';
import type { Recipe, SparseEncoding } from '../sparsity/recipe';
import { countKept } from '../sparsity/masks';
import { autoPrune } from './autoPrune';
import { digestOf } from './digest';
import type { Job, Progress } from './job';
import { chooseOutputs, type Existing, type OutputPaths } from './outputs';
import { applySchedule, type PrunedParam, prunedParams, type Schedule } from './schedule';
import type { TrainingContext } from './train';
import { type Figures, type MeasuredOn, Trainer, type TrainingSource } from './trainer';
import { writePruned } from './writePruned';

export interface RetrainParameters extends TrainingSource {
  /** The model to retrain, dense or pruned. Weights that are zero in a chosen blob stay pruned. */
  file: string;
  /** The blobs that are pruned, and the share of their weights that stays in the end. */
  choices: { layer: string; blob: number; keep: number }[];
  schedule: Schedule | AutoSchedule;
  /** Iterations altogether. */
  iterations: number;
  /** Iterations between two measurements, which are also checkpoints; a twentieth of all when missing. */
  measureEvery?: number;
  /** Model whose accuracy is the aim; the one to retrain when missing. */
  baseline?: string;
  encoding: SparseEncoding;
  existing: Existing;
  /** A `.solverstate` that an earlier, interrupted run of the same parameters left. */
  resume?: string;
}

/**
 * As sparse as possible: per layer, rounds prune what the measured loss misses least, and retrain for at most
 * `perRound` iterations until the accuracy is within `tolerance` (a fraction) of the baseline again.
 */
export interface AutoSchedule {
  kind: 'auto';
  tolerance: number;
  perRound: number;
}

/** How much of a blob is left. */
export interface Kept {
  layer: string;
  blob: number;
  kept: number;
  count: number;
}

/** A measurement on the way. */
export interface Measurement {
  iteration: number;
  validation?: Figures;
  test?: Figures;
  /** Weights kept of all the chosen blobs' weights. */
  keep: number;
  layers: Kept[];
}

export interface RetrainEvent extends Progress {
  iteration: number;
  loss?: number;
  smoothedLoss?: number;
  rate?: number;
  measurement?: Measurement;
  /** Figures of the baseline; told once, at the beginning. */
  baseline?: Figures;
}

/** What the recipe tells of a retraining. */
export interface RetrainReport {
  schedule: Schedule | AutoSchedule;
  choices: RetrainParameters['choices'];
  iterations: number;
  engine: string;
  chosenOn: MeasuredOn;
  heldOut: number;
  baseline: Figures;
  /** Of the weights that are written: those with the best accuracy at the final sparsity. */
  best: Measurement;
  last: Measurement;
  history: Measurement[];
}

export interface RetrainResult {
  outputs: OutputPaths;
  recipe: Recipe;
  report: RetrainReport;
  seconds: number;
}

const tellEveryMs = 100;

/**
 * Retrains a model while its weights become fewer, and writes the best of it as pruning does. Pruned weights are zero
 * after every update. What is best is judged on the part held out of the training data, or on the test data where
 * nothing is held out. Every measurement leaves a checkpoint (`<model>.retraining_iter_<n>`) that the run can go on
 * from; the checkpoints before it, and all of them at the end, are removed.
 * @throws CaffeError when it cannot begin, or the loss becomes NaN: with the layer in which it first appeared
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
    ...rest
  }: RetrainParameters,
  context: TrainingContext,
): Job<RetrainEvent, RetrainResult> {
  const { measureEvery = Math.max(1, Math.ceil(iterations / 20)), ...source } = rest;
  const { signal, engine, control } = context;
  const begin = performance.now();
  const outputs = await chooseOutputs(file, existing);
  const trainer = await Trainer.open(
    { ...source, solver: { ...source.solver, max_iter: iterations } },
    engine,
  );
  const session = new Session(trainer, file, iterations, begin);
  try {
    const chosenOn: MeasuredOn = trainer.measures('validation') ? 'validation' : 'test';
    if (!trainer.measures(chosenOn)) {
      throw new CaffeError('The solver has no test net, so that nothing tells how good the weights are', {
        file: source.solverFile,
        advice: 'Give it a test_iter and a net with a TEST phase',
      });
    }
    await trainer.loadWeights(baselineFile ?? file);
    const baseline = await trainer.measure(chosenOn, signal);
    yield { ...session.progress(0), baseline };
    if (baselineFile !== undefined) await trainer.loadWeights(file);

    session.params = prunedParams(trainer, choices);
    if (schedule.kind === 'auto') {
      yield* autoPrune(session, schedule, { baseline, chosenOn, iterations, context });
    } else {
      if (resume !== undefined) {
        await trainer.resume(resume);
        session.adopt(resume);
      }
      for (let done = trainer.solver.iteration; done < iterations && control?.stopping !== true; done++) {
        // A resumed run prunes anew what the schedule had pruned before.
        applySchedule(schedule, trainer, session.params, done, iterations);
        yield* session.step(done + 1, context);
        if ((done + 1) % measureEvery === 0 || done + 1 === iterations) {
          yield* session.measure(done + 1, chosenOn, atFinalSparsity(session.params), signal);
        }
      }
      if (session.history.length === 0)
        yield* session.measure(trainer.solver.iteration, chosenOn, true, signal);
    }
    const last = session.history.at(-1)!;
    const report: RetrainReport = {
      schedule,
      choices,
      iterations: trainer.solver.iteration,
      engine: engine.name,
      chosenOn,
      heldOut: source.holdOut ?? 0,
      baseline,
      best: session.best?.measurement ?? last,
      last,
      history: session.history,
    };
    session.takeBest();
    const recipe = await write(session, { file, outputs, existing, encoding, report }, signal);
    await session.removeCheckpoint();
    return { outputs, recipe, report, seconds: (performance.now() - begin) / 1000 };
  } finally {
    await trainer.dispose();
  }
}

const atFinalSparsity = (params: readonly PrunedParam[]) =>
  params.every(({ mask, keep }) => countKept(mask) <= Math.ceil(mask.length * keep) + 1);

/** How good figures are: the accuracy, or for a net that does not classify the loss. Higher is better. */
export const scoreOf = ({ accuracy, loss }: Figures): number => accuracy ?? -loss;

/** The state of a retraining that both kinds of schedule share. */
export class Session {
  params: PrunedParam[] = [];
  readonly history: Measurement[] = [];
  /** The best weights so far, and what they achieve. */
  best: { weights: Float32Array[]; measurement: Measurement; score: number } | undefined;
  private checkpoint: { model: string; state: string } | undefined;
  private told = 0;

  constructor(
    readonly trainer: Trainer,
    private readonly file: string,
    private readonly iterations: number,
    private readonly begin: number,
  ) {}

  progress(iteration: number): RetrainEvent {
    const seconds = (performance.now() - this.begin) / 1000;
    const fraction = Math.min(1, iteration / this.iterations);
    return {
      iteration,
      fraction,
      message: `iteration ${iteration} of ${this.iterations}`,
      secondsLeft: fraction > 0.01 ? (seconds * (1 - fraction)) / fraction : undefined,
    };
  }

  /** One iteration of training; told of at most ten times a second. */
  async *step(iteration: number, { signal, control }: TrainingContext): AsyncGenerator<RetrainEvent, void> {
    // A pause in which messages, such as one to cancel, arrive.
    await setImmediate();
    await control?.running();
    signal.throwIfAborted();
    const { loss, smoothedLoss, rate } = await this.trainer.step();
    if (performance.now() - this.told < tellEveryMs) return;
    this.told = performance.now();
    yield { ...this.progress(iteration), loss, smoothedLoss, rate };
  }

  /** Measures the weights, keeps them when they are the best that may be kept, and leaves a checkpoint. */
  async *measure(
    iteration: number,
    chosenOn: MeasuredOn,
    mayBeBest: boolean,
    signal: AbortSignal,
  ): AsyncGenerator<RetrainEvent, Measurement> {
    const on = async (what: MeasuredOn) =>
      this.trainer.measures(what) ? this.trainer.measure(what, signal) : undefined;
    const layers = this.params.map(({ layer, blob, mask }) => ({
      layer,
      blob,
      kept: countKept(mask),
      count: mask.length,
    }));
    const sum = (of: (kept: Kept) => number) => layers.reduce((all, each) => all + of(each), 0);
    const measurement: Measurement = {
      iteration,
      validation: await on('validation'),
      test: await on('test'),
      keep: sum(({ kept }) => kept) / sum(({ count }) => count),
      layers,
    };
    this.history.push(measurement);
    const score = scoreOf(measurement[chosenOn]!);
    if (mayBeBest && (this.best === undefined || score >= this.best.score)) this.keep(measurement, score);
    const old = this.checkpoint;
    this.checkpoint = await this.trainer.snapshot(`${this.file}.retraining`, signal);
    if (old && old.model !== this.checkpoint.model) await remove(old);
    yield { ...this.progress(iteration), measurement };
    return measurement;
  }

  /** Makes the current weights, of which this was measured, the best. */
  keep(measurement: Measurement, score: number): void {
    this.best = {
      weights: this.trainer.net.params.map(({ blob }) => blob.data.slice()),
      measurement,
      score,
    };
  }

  /** Takes a checkpoint of an earlier run for its own, to be removed when there is a newer one. */
  adopt(state: string): void {
    if (!basename(state).startsWith(`${basename(this.file)}.retraining_iter_`)) return;
    this.checkpoint = { state, model: state.replace(/solverstate$/, 'caffemodel') };
  }

  /** Puts the best weights back into the net; without any, the net keeps what it has. */
  takeBest(): void {
    this.best?.weights.forEach((values, i) => this.trainer.net.params[i].blob.data.set(values));
  }

  async removeCheckpoint(): Promise<void> {
    if (this.checkpoint) await remove(this.checkpoint);
  }
}

async function remove({ model, state }: { model: string; state: string }): Promise<void> {
  await rm(model, { force: true });
  await rm(state, { force: true });
}

/** Writes the net's weights into a copy of the model, and the sparse file and recipe beside it. */
async function write(
  { trainer }: Session,
  what: {
    file: string;
    outputs: OutputPaths;
    existing: Existing;
    encoding: SparseEncoding;
    report: RetrainReport;
  },
  signal: AbortSignal,
): Promise<Recipe> {
  const { file, outputs, existing, encoding, report } = what;
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
      sha256: digestOf(source.name, signal),
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
      extra: { retraining: report },
    });
  } finally {
    await source.close();
  }
}
