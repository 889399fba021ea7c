import { setImmediate } from 'node:timers/promises';
import { phrase } from '../phrase';
import { withCheckpoint } from './checkpoint';
import type { ComputeContext, Job, Progress } from './job';
import { loadWeights } from './loadWeights';
import { snapshotPrefix } from './snapshots';
import { type Figures, Trainer, type TrainingSource } from './trainer';

/** How a training that runs is paused and stopped from outside. */
export interface TrainingControl {
  /** True while it shall wait before the next iteration. */
  readonly paused: boolean;
  /** True once it shall end after the current iteration and keep what it has. */
  readonly stopping: boolean;
  /** Resolves at once while it runs, and when it goes on while it is paused. */
  running(): Promise<void>;
}

export interface TrainingContext extends ComputeContext {
  control?: TrainingControl;
}

export interface TrainParameters extends TrainingSource {
  /** Folder and beginning of the names of what is written: snapshots and the final model. */
  prefix?: string;
  /** Weights to begin with instead of what the fillers give. */
  weights?: string;
  /** A `.solverstate` to go on from. */
  resume?: string;
  /** Iterations to do altogether, instead of the solver's `max_iter`. */
  iterations?: number;
}

/** What a training tells while it runs. */
export interface TrainEvent extends Progress {
  iteration: number;
  /** Of the last iteration, and averaged over the solver's `average_loss`; absent before the first. */
  loss?: number;
  smoothedLoss?: number;
  rate?: number;
  test?: Figures;
  /** The `.solverstate` of a snapshot that was just made. */
  checkpoint?: string;
}

export interface TrainResult {
  iterations: number;
  /** The final weights; `state` lets the training go on. */
  model: string;
  state: string;
  test?: Figures;
  seconds: number;
}

const tellEveryMs = 100;

/**
 * Trains a net as `caffe train` does: tests before the first iteration and every `test_interval`, snapshots every
 * `snapshot` iterations and at the end. Same seed, engine and machine: same bytes. A stopped training writes its
 * snapshot too; a cancelled one only keeps the snapshots it has made.
 * @throws CaffeError when it cannot begin, the data or the disk fail, or the loss becomes NaN (with the layer in which
 * it first appeared); it names the snapshot to go on from
 */
export async function* train(
  { weights, resume, iterations, prefix, ...source }: TrainParameters,
  { signal, engine, control }: TrainingContext,
): Job<TrainEvent, TrainResult> {
  const { solver: parameter } = source;
  const last = iterations ?? parameter.max_iter ?? 0;
  const base = prefix ?? (await snapshotPrefix(source));
  const begin = performance.now();
  const trainer = await Trainer.open(source, engine);
  let checkpoint = resume;
  try {
    if (weights !== undefined) await loadWeights(trainer.net, weights, signal);
    if (resume !== undefined) await trainer.resume(resume, signal);
    const first = trainer.solver.iteration;
    const { test_interval = 0, test_initialization = true, snapshot = 0 } = parameter;
    let test: Figures | undefined;
    let told = 0;
    const event = (more: Partial<TrainEvent>): TrainEvent => {
      const iteration = trainer.solver.iteration;
      const seconds = (performance.now() - begin) / 1000;
      const done = iteration - first;
      return {
        iteration,
        fraction: last > first ? done / (last - first) : 1,
        message: phrase`iteration ${iteration} of ${last}`,
        secondsLeft: done > 0 ? (seconds * (last - iteration)) / done : undefined,
        ...more,
      };
    };
    while (trainer.solver.iteration < last && control?.stopping !== true) {
      const { iteration } = trainer.solver;
      if (
        trainer.measures('test') &&
        test_interval > 0 &&
        iteration % test_interval === 0 &&
        (iteration > 0 || test_initialization)
      ) {
        test = await trainer.measure('test', signal);
        yield event({ test });
      }
      // A pause in which messages, such as one to cancel, arrive.
      await setImmediate();
      await control?.running();
      signal.throwIfAborted();
      const { loss, smoothedLoss, rate } = await trainer.step();
      if (snapshot > 0 && trainer.solver.iteration % snapshot === 0 && trainer.solver.iteration < last) {
        checkpoint = (await trainer.snapshot(base, signal)).state;
        yield event({ checkpoint });
      }
      if (performance.now() - told > tellEveryMs) {
        told = performance.now();
        yield event({ loss, smoothedLoss, rate });
      }
    }
    if (trainer.measures('test')) {
      test = await trainer.measure('test', signal);
      yield event({ test });
    }
    const written = await trainer.snapshot(base, signal);
    return {
      iterations: trainer.solver.iteration,
      ...written,
      test,
      seconds: (performance.now() - begin) / 1000,
    };
  } catch (error) {
    throw withCheckpoint(error, checkpoint);
  } finally {
    await trainer.dispose();
  }
}
