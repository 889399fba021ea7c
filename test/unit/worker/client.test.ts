import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { isCancelled } from '../../../src/rpc';
import { WorkerClient } from '../../../src/worker/client';

const folder = mkdtempSync(join(tmpdir(), 'caffe-pruner-worker-'));
afterAll(() => rmSync(folder, { recursive: true }));

let client: WorkerClient;
afterEach(() => client.dispose());

/** A worker whose behaviour is told by the path it is asked about. */
function start(): WorkerClient {
  const script = join(folder, 'worker.cjs');
  writeFileSync(
    script,
    `process.on('message', (request) => {
       if (request.kind !== 'start') return;
       const { id, params: { path } } = request;
       if (path === 'crash') process.exit(3);
       if (path === 'hang') for (;;);
       if (path === 'memory') { console.error('FATAL ERROR: JavaScript heap out of memory'); process.exit(134); }
       process.send({ kind: 'result', id, result: path + ' ' + process.pid });
     });
     process.on('disconnect', () => process.exit());`,
  );
  client = new WorkerClient({ script, patienceMs: 100 });
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
});
