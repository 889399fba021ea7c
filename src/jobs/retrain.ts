import { basename } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { openFile } from '../caffe/byteSource';
import { CaffeError } from '../caffe/errors';
import { openModel } from '../caffe/model';
import { retrainingPrefix } from '../caffe/modelName';
import { phrase, type Phrase } from '../phrase';
import { countKept, type Mask, maskOfNonZero } from '../sparsity/masks';
import type { Recipe, SparseEncoding } from '../sparsity/recipe';
import { itemsFor, likelyShare, standardError } from '../sparsity/standardError';
import { autoPrune } from './autoPrune';
import { readNotes, readProgressed, removeCheckpoint, withCheckpoint, writeCheckpoint } from './checkpoint';
import { laterDigest } from './digest';
import type { Job, Progress } from './job';
import { loadWeights } from './loadWeights';
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
  /** One of a run that is given up: it is removed once this run has a checkpoint of its own. */
  abandoned?: string;
}

/** What a run was asked for, as its checkpoints note it: with the same it can go on. */
export type RunNotes = Pick<
  RetrainParameters,
  'choices' | 'schedule' | 'iterations' | 'holdOut' | 'encoding'
>;

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

/** What weights achieve on each of the data there are. */
export type Achieved = Partial<Record<MeasuredOn, Figures>>;

/** A measurement on the way. */
export interface Measurement extends Achieved {
  iteration: number;
  /** Weights kept of all the chosen blobs' weights. */
  keep: number;
  layers: Kept[];
}

/** The mean of the training loss over a part of the run. */
export interface LossPart {
  /** The last iteration of the part. */
  iteration: number;
  loss: number;
}

export interface RetrainEvent extends Progress {
  iteration: number;
  /** Iterations altogether. */
  iterations: number;
  /** Set when the run begins to wait; it goes on with the next event. */
  paused?: true;
  loss?: number;
  smoothedLoss?: number;
  rate?: number;
  measurement?: Measurement;
  /** With a measurement: the training loss since the one before. */
  trained?: LossPart[];
  /** With a measurement: the `.solverstate` to go on from. */
  checkpoint?: string;
  /** What the baseline achieves; told once, at the beginning. */
  baseline?: Achieved;
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

const tellEveryMs = 100;
/** The training loss is kept as means over this many parts of the run; a measurement ends a part too. */
const lossParts = 200;

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
  const session = new Session(trainer, file, notes, abandoned);
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
    const written = await write(session, { file, outputs, existing, encoding, report }, signal);
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

/** How good figures are: the accuracy, or for a net that does not classify the loss. Higher is better. */
export const scoreOf = ({ accuracy, loss }: Figures): number => accuracy ?? -loss;

/** Weights of the whole net with the masks of the pruned blobs, and what they achieve. */
interface Best {
  weights: Float32Array[];
  masks: Mask[];
  measurement: Measurement;
}

/** How far the search for the sparsest weights has come: the share a round takes, and the iterations it has had. */
export interface Search {
  step: number;
  done: number;
}

/** What a checkpoint notes; `best` is a position in the history. */
interface Notes {
  history: Measurement[];
  losses: LossPart[];
  best?: number;
  search?: Search;
  run: RunNotes;
}

/** What the run was asked for that left a checkpoint; undefined where Caffe, or a plain training, wrote it. */
export async function interruptedRun(state: string): Promise<RunNotes | undefined> {
  return ((await readNotes(state)) as Notes | undefined)?.run;
}

/** The state of a retraining that both kinds of schedule share. */
export class Session {
  params: PrunedParam[] = [];
  readonly history: Measurement[] = [];
  readonly losses: LossPart[] = [];
  /** Of the part of the run that has not ended yet. */
  private part = { sum: 0, count: 0 };
  /** The best weights so far, and what they achieve. */
  best: Best | undefined;
  /** How far the search for ratios has come. */
  search: Search | undefined;
  /** The `.solverstate` of the last checkpoint. */
  checkpoint: string | undefined;
  private told = 0;
  /** When the steps began, and after which iteration. */
  private clock = { begin: performance.now(), iteration: 0 };

  constructor(
    readonly trainer: Trainer,
    private readonly file: string,
    private readonly run: RunNotes,
    private abandoned: string | undefined,
  ) {}

  /** From here on the pace is measured from which the time left is told. */
  startClock(): void {
    this.clock = { begin: performance.now(), iteration: this.trainer.solver.iteration };
  }

  progress(iteration: number): RetrainEvent {
    const { iterations } = this.run;
    const seconds = (performance.now() - this.clock.begin) / 1000;
    const done = iteration - this.clock.iteration;
    return {
      iteration,
      iterations,
      fraction: Math.min(1, iteration / iterations),
      message: phrase`iteration ${iteration} of ${iterations}`,
      secondsLeft: done > 0.01 * iterations ? (seconds * (iterations - iteration)) / done : undefined,
    };
  }

  /** One iteration of training; told of at most ten times a second. */
  async *step(iteration: number, { signal, control }: TrainingContext): AsyncGenerator<RetrainEvent, void> {
    // A pause in which messages, such as one to cancel, arrive.
    await setImmediate();
    if (control?.paused === true) {
      const begin = performance.now();
      yield { ...this.progress(iteration - 1), paused: true };
      await control.running();
      this.clock.begin += performance.now() - begin;
      this.told = 0;
    }
    signal.throwIfAborted();
    const { loss, smoothedLoss, rate } = await this.trainer.step();
    this.part.sum += loss;
    this.part.count++;
    if (iteration % Math.ceil(this.run.iterations / lossParts) === 0) this.endPart();
    if (performance.now() - this.told < tellEveryMs) return;
    this.told = performance.now();
    yield { ...this.progress(iteration), loss, smoothedLoss, rate };
  }

  private endPart(): void {
    const { sum, count } = this.part;
    if (count > 0) this.losses.push({ iteration: this.trainer.solver.iteration, loss: sum / count });
    this.part = { sum: 0, count: 0 };
  }

  /** The training loss between a measurement and the one before it. */
  private trainedBefore(position: number): LossPart[] {
    const [from, to] = [position - 1, position].map((i) => this.history[i]?.iteration ?? -1);
    return this.losses.filter(({ iteration }) => iteration > from && iteration <= to);
  }

  /** Measures the weights on all the data there are. */
  async achieved(signal: AbortSignal): Promise<Achieved> {
    const on = async (what: MeasuredOn) =>
      this.trainer.measures(what) ? this.trainer.measure(what, signal) : undefined;
    return { validation: await on('validation'), test: await on('test') };
  }

  /**
   * Measures the weights, and leaves a checkpoint.
   * @param isBest tells from their score whether they are the best so far
   */
  async *measure(
    chosenOn: MeasuredOn,
    isBest: (score: number) => boolean,
    signal: AbortSignal,
  ): AsyncGenerator<RetrainEvent, void> {
    const { iteration } = this.trainer.solver;
    const layers = this.params.map(({ layer, blob, mask }) => ({
      layer,
      blob,
      kept: countKept(mask),
      count: mask.length,
    }));
    const sum = (of: (kept: Kept) => number) => layers.reduce((all, each) => all + of(each), 0);
    const measurement: Measurement = {
      iteration,
      ...(await this.achieved(signal)),
      keep: sum(({ kept }) => kept) / sum(({ count }) => count),
      layers,
    };
    this.history.push(measurement);
    if (isBest(scoreOf(measurement[chosenOn]!))) {
      this.best = {
        weights: this.trainer.net.params.map(({ blob }) => blob.data.slice()),
        masks: this.params.map(({ mask }) => mask),
        measurement,
      };
    }
    this.endPart();
    await this.save(signal);
    const trained = this.trainedBefore(this.history.length - 1);
    yield { ...this.progress(iteration), measurement, trained, checkpoint: this.checkpoint };
  }

  /** Leaves a checkpoint of what was done so far in place of the one before. */
  private async save(signal: AbortSignal): Promise<void> {
    const arrays = new Map<string, Float32Array>();
    this.params.forEach(({ layer, blob, mask }, i) => {
      arrays.set(`mask ${i}`, mask);
      const unseen = this.trainer.solver.weightsUnderMask(layer, blob);
      if (unseen) arrays.set(`under mask ${i}`, unseen);
      if (this.best) arrays.set(`best mask ${i}`, this.best.masks[i]);
    });
    this.best?.weights.forEach((values, i) => arrays.set(`best weights ${i}`, values));
    const notes: Notes = {
      history: this.history,
      losses: this.losses,
      best: this.best && this.history.indexOf(this.best.measurement),
      search: this.search,
      run: this.run,
    };
    const old = this.checkpoint;
    const prefix = retrainingPrefix(this.file);
    this.checkpoint = await writeCheckpoint(this.trainer, prefix, { arrays, notes }, signal);
    for (const state of [old, this.abandoned]) {
      if (state !== undefined && state !== this.checkpoint) await removeCheckpoint(state);
    }
    this.abandoned = undefined;
  }

  /**
   * Goes on from a checkpoint of the same run, and tells its measurements again; or from a state of Caffe: then what is
   * zero stays pruned.
   */
  async *resume(state: string, signal: AbortSignal): AsyncGenerator<RetrainEvent, void> {
    const { trainer, params } = this;
    await trainer.resume(state, signal);
    const progressed = await readProgressed(state);
    const array = (name: string, like: Float32Array) => {
      const values = progressed?.arrays.get(name);
      if (values?.length !== like.length) {
        throw new CaffeError(
          phrase`The checkpoint has no "${name}" of ${like.length} values: it is of another run`,
          {
            file: state,
            advice: phrase`Resume with the model, net and layers that the run began with`,
          },
        );
      }
      return values;
    };
    params.forEach((param, i) => {
      const { layer, blob, values } = param;
      param.mask = progressed ? array(`mask ${i}`, values) : maskOfNonZero(values);
      if (progressed?.arrays.has(`under mask ${i}`)) {
        values.set(array(`under mask ${i}`, values));
        trainer.solver.setSplicedMask(layer, blob, param.mask);
      } else {
        trainer.solver.setMask(layer, blob, param.mask);
      }
    });
    if (!progressed) return;
    const { history, losses, best, search } = progressed.notes as Notes;
    this.history.push(...history);
    this.losses.push(...losses);
    for (const [i, measurement] of history.entries()) {
      yield { ...this.progress(measurement.iteration), measurement, trained: this.trainedBefore(i) };
    }
    this.search = search;
    if (best !== undefined) {
      this.best = {
        weights: trainer.net.params.map(({ blob }, i) => array(`best weights ${i}`, blob.data)),
        masks: params.map(({ values }, i) => array(`best mask ${i}`, values)),
        measurement: history[best],
      };
    }
    if (basename(state).startsWith(`${basename(retrainingPrefix(this.file))}_iter_`)) this.checkpoint = state;
  }

  /** Puts the best weights back into the net, with their masks; without any, the net keeps what it has. */
  takeBest(): void {
    const { best, trainer, params } = this;
    if (!best) return;
    params.forEach((param, i) => {
      param.mask = best.masks[i];
      trainer.solver.setMask(param.layer, param.blob, param.mask);
    });
    best.weights.forEach((values, i) => trainer.net.params[i].blob.data.set(values));
  }

  async removeCheckpoint(): Promise<void> {
    if (this.checkpoint !== undefined) await removeCheckpoint(this.checkpoint);
  }
}

/** What a search for the sparsest weights cannot tell: whether the accuracy is within a tolerance finer than chance. */
function warningsOf({ schedule, chosenOn, baseline }: RetrainReport): Phrase[] {
  const { accuracy, items } = baseline[chosenOn]!;
  if (schedule.kind !== 'auto' || accuracy === undefined) return [];
  const share = likelyShare(accuracy, items);
  const error = standardError(share, items);
  if (schedule.tolerance >= error) return [];
  const points = (part: number) => (100 * part).toFixed(2);
  const enough = itemsFor(share, schedule.tolerance);
  const warning = phrase`the tolerance of ${points(schedule.tolerance)} points is finer than ${items} items can tell: chance alone moves an accuracy measured on them by about ${points(error)} points`;
  return [Number.isFinite(enough) ? phrase`${warning}; ${enough} items would do` : warning];
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
): Promise<Pick<RetrainResult, 'recipe' | 'warnings'>> {
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
      sha256: laterDigest(source, signal),
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
