import { phrase, textOf, type Part, type Phrase } from './phrase';

/** What a job takes, yields while it runs, and returns. */
export interface JobShape {
  params: unknown;
  event: unknown;
  result: unknown;
}

/** The jobs that one side serves to the other, by name: the one thing from which all types of a connection follow. */
export type JobTable<Table> = { [Name in keyof Table]: JobShape };

/** An error as it travels. `text` is the whole message for the user; what is no phrase comes from elsewhere. */
export interface ErrorValue {
  text: Part;
  /** `user`: it tells what to do. `cancelled`: by the user. `defect`: ours, with `stack` for the log. */
  kind: 'user' | 'cancelled' | 'defect';
  stack?: string;
}

/** What may be asked of a job that runs, besides to be cancelled: `stop` ends it early with what it has. */
export type Steer = 'pause' | 'resume' | 'stop';

/**
 * Pauses, resumes and stops a job: one side calls {@link steer}, the other, or the job itself, follows. A stopped job runs
 * on to where it can end.
 */
export class Steering {
  private waiting = false;
  private stopped = false;
  private readonly listeners = new Set<(to: Steer) => void>();

  get paused(): boolean {
    return this.waiting;
  }

  get stopping(): boolean {
    return this.stopped;
  }

  steer(to: Steer): void {
    this.waiting = to === 'pause';
    if (to === 'stop') this.stopped = true;
    for (const listener of [...this.listeners]) listener(to);
  }

  /** Resolves at once while the job runs, and when it goes on while it is paused. */
  async running(): Promise<void> {
    while (this.waiting) {
      await new Promise<void>((resolve) => {
        const stop = this.listen(() => {
          stop();
          resolve();
        });
      });
    }
  }

  /** Calls `listener` with each call of {@link steer}, until the function that is returned is called. */
  listen(listener: (to: Steer) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

export type Request<Table extends JobTable<Table>> =
  | {
      [Name in keyof Table]: { kind: 'start'; id: number; job: Name; params: Table[Name]['params'] };
    }[keyof Table]
  | { kind: 'cancel'; id: number }
  | { kind: 'steer'; id: number; to: Steer };

export type Response<Table extends JobTable<Table>> =
  | { kind: 'event'; id: number; event: Table[keyof Table]['event'] }
  | { kind: 'result'; id: number; result: Table[keyof Table]['result'] }
  | { kind: 'error'; id: number; error: ErrorValue };

/** What a generator returns that is to give `Result`: nothing, where that is undefined. */
// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- it stands for a return type
type Returned<Result> = [Result] extends [undefined] ? void : Result;

/** How each job of a table is done. */
export type JobHandlers<Table extends JobTable<Table>> = {
  [Name in keyof Table]: (
    params: Table[Name]['params'],
    context: { signal: AbortSignal; control: Steering },
  ) => AsyncGenerator<Table[Name]['event'], Returned<Table[Name]['result']>, void>;
};

/** An {@link ErrorValue} as something to throw. */
export class RemoteError extends Error {
  constructor(readonly value: ErrorValue) {
    super(textOf(value.text));
    this.name = 'RemoteError';
  }
}

/** Whether `error` says that its job was cancelled. */
export const isCancelled = (error: unknown): boolean => toErrorValue(error).kind === 'cancelled';

/** An error of any origin as a value that can be sent. */
export function toErrorValue(error: unknown): ErrorValue {
  if (error instanceof RemoteError) return error.value;
  if (!(error instanceof Error)) return { text: String(error), kind: 'defect' };
  if (error.name === 'AbortError') return { text: error.message, kind: 'cancelled' };
  if ('description' in error && typeof error.description === 'function') {
    return { text: error.description() as Phrase, kind: 'user', stack: error.stack };
  }
  return { text: error.message, kind: 'defect', stack: error.stack };
}

const abortError = () => new RemoteError({ text: phrase`The job was cancelled.`, kind: 'cancelled' });

interface Pending {
  job: string;
  cancelled: boolean;
  push(item: { event: unknown } | { result: unknown } | { error: ErrorValue }): void;
}

/** Starts jobs on the other side of a connection. */
export class JobClient<Table extends JobTable<Table>> {
  private readonly pending = new Map<number, Pending>();
  /** A page that was hidden and comes again must not take answers to its former life for its own. */
  private lastId = Math.floor(Math.random() * 2 ** 40);

  constructor(
    private readonly send: (request: Request<Table>) => void,
    /** Called when a job is cancelled, so that one that does not listen can be dealt with. */
    private readonly onCancel?: (id: number) => void,
  ) {}

  /** Whether any job is under way; with an id, whether that one is. */
  isBusy(id?: number): boolean {
    return id === undefined ? this.pending.size > 0 : this.pending.has(id);
  }

  /** Names of the jobs under way. */
  running(): string[] {
    return [...this.pending.values()].map(({ job }) => job);
  }

  /**
   * Runs a job: yields its events and returns its result. It is cancelled by `signal`, and when the loop over its
   * events is left early; `control` pauses, resumes and stops it.
   * @throws RemoteError
   */
  async *start<Name extends keyof Table & string>(
    job: Name,
    params: Table[Name]['params'],
    signal?: AbortSignal,
    control?: Steering,
  ): AsyncGenerator<Table[Name]['event'], Table[Name]['result'], void> {
    if (signal?.aborted) throw abortError();
    const id = ++this.lastId;
    const queue: Parameters<Pending['push']>[0][] = [];
    let wake: (() => void) | undefined;
    const entry: Pending = {
      job,
      cancelled: false,
      push(item) {
        queue.push(item);
        wake?.();
      },
    };
    this.pending.set(id, entry);
    try {
      this.send({ kind: 'start', id, job, params } as Request<Table>);
    } catch (error) {
      // It never begins, so nothing would ever end it.
      this.pending.delete(id);
      throw error;
    }
    const cancel = () => {
      if (entry.cancelled || !this.pending.has(id)) return;
      entry.cancelled = true;
      this.send({ kind: 'cancel', id });
      this.onCancel?.(id);
    };
    signal?.addEventListener('abort', cancel, { once: true });
    const stopListening = control?.listen((to) => this.send({ kind: 'steer', id, to }));
    try {
      for (;;) {
        while (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
        const item = queue.shift()!;
        if ('event' in item) yield item.event as Table[Name]['event'];
        else if ('result' in item) return item.result as Table[Name]['result'];
        else throw new RemoteError(item.error);
      }
    } finally {
      signal?.removeEventListener('abort', cancel);
      stopListening?.();
      // Still pending here: the loop was left early. The answer to the cancellation ends it.
      cancel();
    }
  }

  /** Runs a job to its end and hands its events to `onEvent`. */
  async run<Name extends keyof Table & string>(
    job: Name,
    params: Table[Name]['params'],
    options: { signal?: AbortSignal; onEvent?: (event: Table[Name]['event']) => void } = {},
  ): Promise<Table[Name]['result']> {
    const events = this.start(job, params, options.signal);
    for (;;) {
      const step = await events.next();
      if (step.done) return step.value;
      options.onEvent?.(step.value);
    }
  }

  /** To be called with each message that arrives. */
  receive(response: Response<Table>): void {
    const entry = this.pending.get(response.id);
    if (!entry) return;
    if (response.kind !== 'event') this.pending.delete(response.id);
    if (response.kind === 'event') entry.push({ event: response.event });
    else if (response.kind === 'result') entry.push({ result: response.result });
    else entry.push({ error: response.error });
  }

  /** Ends all jobs with an error: the other side is gone. Those that were being cancelled count as cancelled. */
  fail(error: ErrorValue): void {
    const entries = [...this.pending.values()];
    this.pending.clear();
    for (const entry of entries) entry.push({ error: entry.cancelled ? abortError().value : error });
  }
}

/** Does the jobs that the other side of a connection starts. */
export class JobServer<Table extends JobTable<Table>> {
  private readonly running = new Map<number, { controller: AbortController; control: Steering }>();
  private readonly ends = new Set<Promise<void>>();

  constructor(
    private readonly handlers: JobHandlers<Table>,
    private readonly send: (response: Response<Table>) => void,
  ) {}

  /** To be called with each message that arrives. */
  receive(request: Request<Table>): void {
    if (request.kind === 'cancel') this.cancel(request.id);
    else if (request.kind === 'steer') this.running.get(request.id)?.control.steer(request.to);
    else if (request.kind === 'start') {
      const end = this.run(request.id, request.job, request.params).finally(() => this.ends.delete(end));
      this.ends.add(end);
    }
  }

  /** Cancels everything: the other side is gone. Resolves when all jobs have ended and cleared up. */
  async dispose(): Promise<void> {
    for (const id of [...this.running.keys()]) this.cancel(id);
    await Promise.allSettled(this.ends);
  }

  private cancel(id: number): void {
    const job = this.running.get(id);
    job?.controller.abort();
    // One that is paused has to go on to see it.
    job?.control.steer('resume');
  }

  private async run<Name extends keyof Table>(
    id: number,
    job: Name,
    params: Table[Name]['params'],
  ): Promise<void> {
    const controller = new AbortController();
    const control = new Steering();
    this.running.set(id, { controller, control });
    let events: ReturnType<JobHandlers<Table>[Name]> | undefined;
    try {
      // The name comes from outside: only the table's own entries count.
      if (!Object.hasOwn(this.handlers, job)) throw new Error(`There is no job "${String(job)}".`);
      events = this.handlers[job](params, { signal: controller.signal, control }) as typeof events & object;
      for (;;) {
        const step = await events.next();
        if (step.done) {
          this.send({ kind: 'result', id, result: step.value });
          return;
        }
        controller.signal.throwIfAborted();
        this.send({ kind: 'event', id, event: step.value });
      }
    } catch (error) {
      await events?.return(undefined as never).catch(() => undefined);
      const value = controller.signal.aborted ? abortError().value : toErrorValue(error);
      this.send({ kind: 'error', id, error: value });
    } finally {
      this.running.delete(id);
    }
  }
}
