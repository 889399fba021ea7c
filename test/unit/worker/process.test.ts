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
import { stalledDisk } from '../../support/stalledDisk';
import { buildWorker } from '../cli/build';

const folder = mkdtempSync(join(tmpdir(), 'worker-process-'));
const script = join(folder, 'worker.js');
/** The same, which takes half a second to send a message; `telling` is there from its first on. */
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
}, 60_000);

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
  await vi.waitFor(() => expect(readdirSync(models).length).toBeGreaterThan(1), {
    timeout: 10_000,
    interval: 1,
  });
  return { outcome };
}

const isClean = () => {
  expect(readdirSync(models)).toEqual(['net.caffemodel']);
  expect(readFileSync(file).equals(original)).toBe(true);
};

describe('the background process that ships', () => {
  test('leaves nothing when the window closes while it prunes', async () => {
    const client = new WorkerClient({ script });
    await begin(client);
    client.dispose();
    await vi.waitFor(isClean, { timeout: 10_000 });
  });

  test('leaves nothing when the window closes while it tells how far it is', async () => {
    const client = new WorkerClient({ script: slowToTell });
    await begin(client);
    await vi.waitFor(() => expect(existsSync(telling)).toBe(true), { timeout: 10_000, interval: 1 });
    client.dispose();
    await vi.waitFor(isClean, { timeout: 10_000 });
  });

  test('leaves nothing when pruning is cancelled, and goes on to serve', async () => {
    const client = new WorkerClient({ script });
    const controller = new AbortController();
    const { outcome } = await begin(client, controller.signal);
    controller.abort();
    expect(isCancelled(await outcome)).toBe(true);
    await vi.waitFor(isClean, { timeout: 10_000 });
    expect(await client.run('digest', { path: file })).toMatch(/^[0-9a-f]{64}$/);
    client.dispose();
  });
});
