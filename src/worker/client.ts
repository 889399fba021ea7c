import { type ChildProcess, fork } from 'node:child_process';
import { phrase } from '../phrase';
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

/**
 * The background process as the extension sees it: started with the first job, again after it died, and ended when it is
 * idle for long or with {@link dispose}. A cancelled job that does not stop in time takes its process with it.
 */
export class WorkerClient {
  private process: ChildProcess | undefined;
  private idleTimer: NodeJS.Timeout | undefined;
  private readonly jobs: JobClient<WorkerJobs>;

  constructor(private readonly options: WorkerOptions) {
    this.jobs = new JobClient<WorkerJobs>(
      (request) => {
        this.running().send(request, (error) => {
          if (error) this.options.log?.(`The worker process cannot be reached: ${error.message}`);
        });
      },
      (id) => {
        setTimeout(() => {
          if (this.jobs.isBusy(id)) this.process?.kill('SIGKILL');
        }, this.patienceMs).unref();
      },
    );
  }

  /** Runs a job; see {@link JobClient.start}. */
  async *start<Name extends keyof WorkerJobs & string>(
    job: Name,
    params: WorkerJobs[Name]['params'],
    signal?: AbortSignal,
    control?: Steering,
  ): AsyncGenerator<WorkerJobs[Name]['event'], WorkerJobs[Name]['result'], void> {
    clearTimeout(this.idleTimer);
    try {
      return yield* this.jobs.start(job, params, signal, control);
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
      return await this.jobs.run(job, params, options);
    } finally {
      this.waitIdle();
    }
  }

  dispose(): void {
    clearTimeout(this.idleTimer);
    const { process } = this;
    this.process = undefined;
    // It ends by itself when the channel closes; the kill is for one that is too busy to notice.
    process?.disconnect();
    if (process) setTimeout(() => process.kill('SIGKILL'), this.patienceMs).unref();
  }

  private get patienceMs(): number {
    return this.options.patienceMs ?? defaultPatienceMs;
  }

  private waitIdle(): void {
    clearTimeout(this.idleTimer);
    if (this.jobs.isBusy()) return;
    this.idleTimer = setTimeout(() => this.dispose(), idleMs);
    this.idleTimer.unref();
  }

  private running(): ChildProcess {
    if (this.process?.connected) return this.process;
    const { script, heapMegabytes, log } = this.options;
    const child = fork(script, {
      serialization: 'advanced',
      execArgv: heapMegabytes ? [`--max-old-space-size=${heapMegabytes()}`] : [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    let lastWords = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        lastWords = (lastWords + text).slice(-4_000);
        log?.(text.trimEnd());
      });
    }
    child.on('message', (response) => this.jobs.receive(response as Response<WorkerJobs>));
    child.on('error', (error) => log?.(`The worker process failed: ${error.message}`));
    child.on('exit', (code, signal) => {
      log?.(`The worker process ended (${signal ?? `exit code ${code}`}).`);
      if (this.process === child) this.process = undefined;
      else if (this.process) return;
      const running = this.jobs.running();
      if (running.length === 0) return;
      const outOfMemory = /heap out of memory|allocation failed/i.test(lastWords) || signal === 'SIGABRT';
      this.jobs.fail({
        text: outOfMemory
          ? phrase`The background process ran out of memory during "${running.join('", "')}". Your files are as they were; try again with fewer models open, or raise the setting caffePruner.workerMemory.`
          : phrase`The background process ended unexpectedly (${signal ?? phrase`exit code ${code ?? 0}`}) during "${running.join('", "')}". Your files are as they were; the next try starts it again and removes what it had begun.`,
        kind: 'user',
      });
    });
    this.process = child;
    return child;
  }
}
