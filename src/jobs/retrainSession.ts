import { basename } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { CaffeError } from '../caffe/errors';
import { retrainingPrefix } from '../caffe/modelName';
import { phrase } from '../phrase';
import { countKept, type Mask, maskOfNonZero } from '../sparsity/masks';
import type { SparseEncoding } from '../sparsity/recipe';
import { readNotes, readProgressed, removeCheckpoint, writeCheckpoint } from './checkpoint';
import { isList, isNumber, isText } from './fromJson';
import type { Progress } from './job';
import type { AutoSchedule, PrunedParam, Schedule } from './schedule';
import type { TrainingContext } from './train';
import type { Figures, MeasuredOn, Trainer, TrainingSource } from './trainer';

/** What a run was asked for, as its checkpoints note it: with the same it can go on. */
export interface RunNotes extends Pick<TrainingSource, 'holdOut'> {
  /** The blobs that are pruned, and the share of their weights that stays in the end. */
  choices: { layer: string; blob: number; keep: number }[];
  schedule: Schedule | AutoSchedule;
  /** Iterations altogether. */
  iterations: number;
  encoding: SparseEncoding;
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

const tellEveryMs = 100;
/** The training loss is kept as means over this many parts of the run; a measurement ends a part too. */
const lossParts = 200;

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
  return (await readNotes<Notes>(state, ({ run }) => isRun(run)))?.run;
}

const isRun = ({ choices, schedule, iterations, encoding }: Partial<RunNotes> = {}): boolean =>
  isList(choices, ({ layer, blob, keep }) => isText(layer) && [blob, keep].every(isNumber)) &&
  isText(schedule?.kind) &&
  isNumber(iterations) &&
  isText(encoding);

const isSound = ({ history, losses, best, search, run }: Partial<Notes>): boolean =>
  isRun(run) &&
  isList(
    history,
    ({ iteration, keep, layers, validation, test }) =>
      [iteration, keep].every(isNumber) &&
      isList(layers, ({ layer, kept, count }) => isText(layer) && [kept, count].every(isNumber)) &&
      [validation, test].every((figures) => figures === undefined || isNumber(figures.items)),
  ) &&
  isList(losses, ({ iteration }) => isNumber(iteration)) &&
  (best === undefined || history[best] !== undefined) &&
  (search === undefined || [search.step, search.done].every(isNumber));

/** The state of a retraining that both kinds of schedule share. */
export class RetrainSession {
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
    const progressed = await readProgressed<Notes>(state, isSound);
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
    const { history, losses, best, search } = progressed.notes;
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
