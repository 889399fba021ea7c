import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { isCancelled } from '../../../src/rpc';
import { WorkerClient } from '../../../src/worker/client';

const folder = mkdtempSync(join(tmpdir(), 'caffe-pruner-worker-'));
afterAll(() => rmSync(folder, { recursive: true }));

let client: WorkerClient;
afterEach(() => client.dispose());
let lines: string[];

/** A worker whose behaviour is told by the path it is asked about. */
function start(patienceMs = 100): WorkerClient {
  const script = join(folder, 'worker.cjs');
  writeFileSync(
    script,
    `// Speaks for its parent when that is gone.
     const heir = "process.stdin.on('end', () => console.error('JavaScript heap out of memory')).resume()";
     process.on('message', (request) => {
       if (request.kind === 'cancel') process.send({ kind: 'error', id: request.id, error: { kind: 'cancelled', text: '' } });
       if (request.kind !== 'start') return;
       const { id, params: { path } } = request;
       if (path === 'crash') process.exit(3);
       if (path === 'hang') for (;;);
       if (path === 'stay') return process.on('disconnect', () => setTimeout(() => process.exit(3), 300));
       if (path === 'event') process.send({ kind: 'event', id, event: [] });
       if (path === 'slow') return setTimeout(() => process.send({ kind: 'result', id, result: 'slow ' + process.pid }), 300);
       if (path === 'memory') { console.error('FATAL ERROR: JavaScript heap out of memory'); process.exit(134); }
       if (path === 'late words') {
         const stdio = ['pipe', 'ignore', 'inherit'];
         require('node:child_process').spawn(process.execPath, ['-e', heir], { stdio });
         process.exit(134);
       }
       process.send({ kind: 'result', id, result: path + ' ' + process.pid });
     });
     process.on('disconnect', () => setTimeout(() => process.exit(), 500));`,
  );
  const printed: string[] = [];
  lines = printed;
  client = new WorkerClient({ script, patienceMs, log: (line) => printed.push(line) });
  return client;
}
const digest = (path: string, signal?: AbortSignal) => client.run('digest', { path }, { signal });
const pidOf = (answer: string) => answer.split(' ')[1];

describe('the worker process', () => {
  test('starts with the first job and serves the next ones', async () => {
    start();
    const [a, b] = [await digest('a'), await digest('b')];
    expect(pidOf(a)).toBe(pidOf(b));
  });

  test('that dies fails its jobs with what happened, and starts again', async () => {
    start();
    await expect(digest('crash')).rejects.toThrow(/ended unexpectedly \(exit code 3\) during "digest"/);
    expect(await digest('again')).toMatch(/^again/);
  });

  test('that runs out of memory says so', async () => {
    start();
    await expect(digest('memory')).rejects.toThrow(/ran out of memory/);
    await expect(digest('late words')).rejects.toThrow(/ran out of memory/);
  });

  test('that does not hear a cancellation is killed, and the next job has a new one', async () => {
    start();
    const before = pidOf(await digest('first'));
    const controller = new AbortController();
    const hanging = digest('hang', controller.signal).catch((error: unknown) => error);
    setTimeout(() => controller.abort(), 50);
    expect(isCancelled(await hanging)).toBe(true);
    expect(pidOf(await digest('next'))).not.toBe(before);
  });

  test('that is gone fails the jobs it had, though another has taken its place', async () => {
    start();
    const [first, second] = [digest('stay'), digest('a')];
    const outcome = first.catch((error: unknown) => error);
    await second;
    client.dispose();
    expect(await digest('next')).toMatch(/^next/);
    expect(String(await outcome)).toMatch(/ended unexpectedly .* during "digest"/);
  });

  test('that takes the place of one with a cancelled job is not killed for it', async () => {
    start();
    const controller = new AbortController();
    const [first, second] = [digest('stay', controller.signal), digest('a')];
    const outcome = first.catch((error: unknown) => error);
    await second;
    client.dispose();
    controller.abort();
    expect(await digest('slow')).toMatch(/^slow/);
    expect(isCancelled(await outcome)).toBe(true);
  });

  test('that cannot be started says so', async () => {
    const { execPath } = process;
    start();
    process.execPath = join(folder, 'nowhere');
    try {
      await expect(digest('a')).rejects.toThrow(/cannot be started \(ENOENT\)\. Reload the window/);
    } finally {
      process.execPath = execPath;
    }
    expect(await digest('b')).toMatch(/^b/);
  });
});

describe('the worker process that is idle', () => {
  const idle = 120_000;
  afterEach(() => vi.useRealTimers());

  test('is kept for a while', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    start();
    const before = pidOf(await digest('a'));
    vi.advanceTimersByTime(idle - 1);
    expect(pidOf(await digest('b'))).toBe(before);
  });

  test('ends also after a job that was left', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    start(1000 * idle);
    const job = client.start('inspect', { path: 'event', from: 0, to: 0 });
    await job.next();
    await job.return(undefined);
    await vi.waitFor(
      () => {
        vi.advanceTimersByTime(idle);
        expect(lines.some((line) => line.includes('worker process ended (exit code 0)'))).toBe(true);
      },
      { timeout: 60_000 },
    );
  });

  test('is not ended under a job that has just begun', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    start();
    const before = pidOf(await digest('a'));
    vi.advanceTimersByTime(idle - 1);
    const job = digest('slow');
    vi.advanceTimersByTime(2 * idle);
    expect(pidOf(await job)).toBe(before);
  });
});
