import type { Part } from '../phrase';
import type { Engine } from '../tensor/engine';

/** How far a job is. `fraction` is in 0..1; `secondsLeft` is there once it can be told. */
export interface Progress {
  fraction: number;
  message: Part;
  secondsLeft?: number;
}

/** What every job is given besides its parameters. */
export interface JobContext {
  /** Aborting it ends the job at its next step; nothing half-written remains. */
  signal: AbortSignal;
}

/** What a job that runs nets is given. */
export interface ComputeContext extends JobContext {
  engine: Engine;
}

/**
 * A unit of background work: yields events (at the least {@link Progress}) and returns its result. It knows
 * nothing of the editor: the worker process and the command line run the same jobs.
 */
export type Job<Event, Result> = AsyncGenerator<Event, Result, void>;
