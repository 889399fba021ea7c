import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Random } from '../../../src/caffe/random';
import { writeModel } from '../../../src/caffe/writeModel';
import { isCancelled } from '../../../src/rpc';
import { WorkerClient } from '../../../src/worker/client';
import { hangingDisk, stalledDisk } from '../../support/stalledDisk';
import { buildWorker } from '../cli/build';

const folder = mkdtempSync(join(tmpdir(), 'worker-process-'));
const script = join(folder, 'worker.js');
/** The same on a disk that takes three seconds more when the process is to stop; `flushing` is there from its first work on. */
const slowToStop = join(folder, 'slow-to-stop.js');
const flushing = join(folder, 'flushing');
/** The first, which takes half a second to send a message; `telling` is there from its first on. */
const slowToTell = join(folder, 'slow-to-tell.js');
const telling = join(folder, 'telling');
const models = join(folder, 'models');
const file = join(models, 'net.caffemodel');
let original: Buffer;
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  await buildWorker(join(folder, 'bundle.js'));
  writeFileSync(script, `${stalledDisk('net.pruned')}\nrequire('./bundle.js');`);
  writeFileSync(
    slowToStop,
    `${stalledDisk('net.pruned', 3_000)}
     const { fsync } = disk;
     disk.fsync = (...call) => {
       disk.writeFileSync(${JSON.stringify(flushing)}, '');
       fsync(...call);
     };
     require('./bundle.js');`,
  );
  writeFileSync(
    slowToTell,
    `const { send } = process;
     process.send = (...message) => {
       require('node:fs').writeFileSync(${JSON.stringify(telling)}, '');
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
       return send.apply(process, message);
     };
     require('./worker.js');`,
  );
  mkdirSync(models);
  const random = new Random(7);
  const data = Float32Array.from({ length: 1 << 23 }, () => random.unit() - 0.5);
  await writeModel(file, {
    name: 'net',
    layers: [{ name: 'ip', type: 'InnerProduct', blobs: [{ shape: [1 << 10, 1 << 13], data }] }],
  });
  original = readFileSync(file);
});

/** As long as a busy machine with a busy disk may take. */
const patience = { timeout: 300_000, interval: 5 };
const start = (script: string) => new WorkerClient({ script, patienceMs: patience.timeout });

/** Begins to prune in a process of its own; gives what becomes of it, once something is being written. */
async function begin(client: WorkerClient, signal?: AbortSignal): Promise<{ outcome: Promise<unknown> }> {
  const outcome = client
    .run(
      'prune',
      {
        file,
        existing: 'refuse',
        encoding: 'relative',
        seed: 1,
        choices: [{ layer: 'ip', blob: 0, method: 'keep', keep: 0.1 }],
      },
      { signal },
    )
    .catch((error: unknown) => error);
  await vi.waitFor(() => expect(readdirSync(models).length).toBeGreaterThan(1), patience);
  return { outcome };
}

const isClean = () => {
  expect(readdirSync(models)).toEqual(['net.caffemodel']);
  expect(readFileSync(file).equals(original)).toBe(true);
};

describe('the background process that ships', () => {
  test('leaves nothing when the window closes while it prunes', async () => {
    const client = start(script);
    await begin(client);
    client.dispose();
    await vi.waitFor(isClean, patience);
  });

  test.each([
    ['however long the disk takes', slowToStop, flushing],
    ['while it tells how far it is', slowToTell, telling],
  ])('leaves nothing when the window closes, %s', async (_, slow, sign) => {
    const client = start(slow);
    await begin(client);
    await vi.waitFor(() => expect(existsSync(sign)).toBe(true), patience);
    client.dispose();
    await vi.waitFor(isClean, patience);
  });

  test('leaves nothing when pruning is cancelled, and goes on to serve', async () => {
    const client = start(script);
    const controller = new AbortController();
    const { outcome } = await begin(client, controller.signal);
    controller.abort();
    expect(isCancelled(await outcome)).toBe(true);
    await vi.waitFor(isClean, patience);
    expect(await client.run('digest', { path: file })).toMatch(/^[0-9a-f]{64}$/);
    client.dispose();
  });

  test('leaves nothing when it is killed because the disk hangs after a cancellation', async () => {
    const hanging = join(folder, 'hanging.js');
    writeFileSync(hanging, `${hangingDisk}\nrequire('./bundle.js');`);
    let said = '';
    const client = new WorkerClient({
      script: hanging,
      patienceMs: 600_000,
      log: (line) => (said += `${line}\n`),
    });
    const controller = new AbortController();
    const { outcome } = await begin(client, controller.signal);
    const hangs = /the disk hangs in (\d+)\n/;
    await vi.waitFor(() => expect(said).toMatch(hangs), { timeout: 60_000 });
    controller.abort();
    await vi.waitFor(isClean, { timeout: 60_000 });
    // As the client does when its patience is over.
    process.kill(Number(hangs.exec(said)![1]), 'SIGKILL');
    expect(isCancelled(await outcome)).toBe(true);
    isClean();
    client.dispose();
  });
});
