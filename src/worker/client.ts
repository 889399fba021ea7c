import { type ChildProcess, fork } from 'node:child_process';
import { reasonOf } from '../caffe/errors';
import { phrase, type Phrase } from '../phrase';
import type { WorkerJobs } from '../protocol';
import { JobClient, type Response, type Steering } from '../rpc';

export interface WorkerOptions {
  /** The bundle to run. */
  script: string;
  /** Limit of its JavaScript heap, asked for at each start; values are outside of it, in array buffers. */
  heapMegabytes?: () => number;
  /** Gets what the process prints and what becomes of it. */
  log?: (line: string) => void;
  /** How long a cancelled job may take to stop before its process is killed. */
  patienceMs?: number;
}

const defaultPatienceMs = 5_000;
/** How long an idle process is kept for the next job. */
const idleMs = 120_000;

/** A process with the jobs that were sent to it: they end with it, whatever process takes its place meanwhile. */
interface Running {
  child: ChildProcess;
  jobs: JobClient<WorkerJobs>;
}

/**
 * The background process as the extension sees it: started with the first job, again after it died, and ended when it is
 * idle for long or with {@link dispose}. A cancelled job that does not stop in time takes its process with it.
 */
export class WorkerClient {
  private current: Running | undefined;
  private idleTimer: NodeJS.Timeout | undefined;

  constructor(private readonly options: WorkerOptions) {}

  /** Runs a job; see {@link JobClient.start}. */
  async *start<Name extends keyof WorkerJobs & string>(
    job: Name,
    params: WorkerJobs[Name]['params'],
    signal?: AbortSignal,
    control?: Steering,
  ): AsyncGenerator<WorkerJobs[Name]['event'], WorkerJobs[Name]['result'], void> {
    clearTimeout(this.idleTimer);
    try {
      return yield* this.running().jobs.start(job, params, signal, control);
    } finally {
      this.waitIdle();
    }
  }

  /** Runs a job to its end; see {@link JobClient.run}. */
  async run<Name extends keyof WorkerJobs & string>(
    job: Name,
    params: WorkerJobs[Name]['params'],
    options: { signal?: AbortSignal; onEvent?: (event: WorkerJobs[Name]['event']) => void } = {},
  ): Promise<WorkerJobs[Name]['result']> {
    clearTimeout(this.idleTimer);
    try {
      return await this.running().jobs.run(job, params, options);
    } finally {
      this.waitIdle();
    }
  }

  dispose(): void {
    clearTimeout(this.idleTimer);
    const child = this.current?.child;
    this.current = undefined;
    if (!child) return;
    // It ends by itself when the channel closes; the kill is for one that is too busy to notice.
    if (child.connected) child.disconnect();
    setTimeout(() => child.kill('SIGKILL'), this.patienceMs).unref();
  }

  private get patienceMs(): number {
    return this.options.patienceMs ?? defaultPatienceMs;
  }

  private waitIdle(): void {
    clearTimeout(this.idleTimer);
    this.idleTimer = setTimeout(() => {
      // Others may run still, and one that was left may be ending.
      if (this.current?.jobs.isBusy()) this.waitIdle();
      else this.dispose();
    }, idleMs);
    this.idleTimer.unref();
  }

  private running(): Running {
    if (!this.current?.child.connected) this.current = this.launch();
    return this.current;
  }

  private launch(): Running {
    const { script, heapMegabytes, log } = this.options;
    const child = fork(script, {
      serialization: 'advanced',
      execArgv: heapMegabytes ? [`--max-old-space-size=${heapMegabytes()}`] : [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const jobs = new JobClient<WorkerJobs>(
      (request) => {
        child.send(request, (error) => {
          if (error) log?.(`The worker process cannot be reached: ${error.message}`);
        });
      },
      (id) => {
        setTimeout(() => {
          if (jobs.isBusy(id)) child.kill('SIGKILL');
        }, this.patienceMs).unref();
      },
    );
    const running = { child, jobs };
    const leave = () => {
      if (this.current === running) this.current = undefined;
    };
    const end = (text: (names: string) => Phrase) => {
      leave();
      const names = jobs.running();
      if (names.length > 0) jobs.fail({ text: text(names.join('", "')), kind: 'user' });
    };
    let lastWords = '';
    const silent = Promise.all(
      [child.stdout, child.stderr].map((stream) => {
        stream?.setEncoding('utf8').on('data', (text: string) => {
          lastWords = (lastWords + text).slice(-4_000);
          log?.(text.trimEnd());
        });
        return stream && new Promise((resolve) => stream.once('close', resolve));
      }),
    );
    child.on('message', (response) => jobs.receive(response as Response<WorkerJobs>));
    child.on('error', (error) => {
      log?.(`The worker process failed: ${error.message}`);
      // One that was never there does not exit.
      if (child.pid !== undefined) return;
      end(
        (names) =>
          phrase`The background process for "${names}" cannot be started (${reasonOf(error)}). Reload the window; when that does not help, restart VS Code.`,
      );
    });
    const exited = async (code: number | null, signal: NodeJS.Signals | null) => {
      leave();
      // What it printed may arrive after its end.
      await silent;
      log?.(`The worker process ended (${signal ?? `exit code ${code}`}).`);
      const outOfMemory = /heap out of memory|allocation failed/i.test(lastWords) || signal === 'SIGABRT';
      end((names) =>
        outOfMemory
          ? phrase`The background process ran out of memory during "${names}". Your files are as they were; try again with fewer models open, or raise the setting caffePruner.workerMemory.`
          : phrase`The background process ended unexpectedly (${signal ?? phrase`exit code ${code ?? 0}`}) during "${names}". Your files are as they were; the next try starts it again and removes what it had begun.`,
      );
    };
    child.on('exit', (code, signal) => void exited(code, signal));
    return running;
  }
}
