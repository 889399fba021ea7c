import { type ErrorValue, RemoteError, Steering, toErrorValue } from '../rpc';

/**
 * A long job of a document. It goes on while the page is hidden; whoever follows it gets what it told from its beginning
 * and then what it goes on to tell.
 */
export class Labor<Event, Result> {
  readonly control = new Steering();
  private readonly controller = new AbortController();
  private told: { number: number; event: Event }[] = [];
  private outcome: { result: Result } | { error: ErrorValue } | undefined;
  private waiting: (() => void)[] = [];

  constructor(
    start: (signal: AbortSignal, control: Steering) => AsyncGenerator<Event, Result, void>,
    /** Which events still count when there are later ones; by default none: each tells all. */
    private readonly keeps: (event: Event) => boolean = () => false,
  ) {
    void this.run(start(this.controller.signal, this.control));
  }

  get isRunning(): boolean {
    return this.outcome === undefined;
  }

  /** Whether it ended because it was cancelled: then it has nothing to tell. */
  get wasCancelled(): boolean {
    return this.outcome !== undefined && 'error' in this.outcome && this.outcome.error.kind === 'cancelled';
  }

  cancel(): void {
    this.controller.abort();
    // One that is paused has to go on to see it.
    this.control.steer('resume');
  }

  /** Yields the job's events and returns its result. Leaving it does not end the job. */
  async *follow(signal: AbortSignal): AsyncGenerator<Event, Result, void> {
    signal.addEventListener('abort', () => this.wake(), { once: true });
    let next = 0;
    for (;;) {
      const news = this.told.filter(({ number }) => number >= next);
      for (const { number, event } of news) {
        yield event;
        next = number + 1;
      }
      signal.throwIfAborted();
      if (news.length > 0) continue;
      if (this.outcome && 'result' in this.outcome) return this.outcome.result;
      if (this.outcome) throw new RemoteError(this.outcome.error);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private async run(job: AsyncGenerator<Event, Result, void>): Promise<void> {
    try {
      for (let number = 0; ; number++) {
        const step = await job.next();
        if (step.done) {
          this.outcome = { result: step.value };
          return;
        }
        const last = this.told.at(-1);
        if (last && !this.keeps(last.event)) this.told.pop();
        this.told.push({ number, event: step.value });
        this.wake();
      }
    } catch (error) {
      this.outcome = { error: toErrorValue(error) };
    } finally {
      this.wake();
    }
  }
}
