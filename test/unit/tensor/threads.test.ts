import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ConvolutionShape } from '../../../src/tensor/engine';
import { PortableEngine } from '../../../src/tensor/portable';
import * as threads from '../../../src/tensor/threads';

const { startThread } = await vi.importActual<typeof threads>('../../../src/tensor/threads');
vi.mock(import('../../../src/tensor/threads'), async (original) => {
  const actual = await original();
  return { ...actual, startThread: vi.fn(actual.startThread) };
});

afterEach(() => {
  vi.mocked(threads.startThread).mockReset().mockImplementation(startThread);
});

const shape: ConvolutionShape = {
  num: 64,
  channels: 4,
  height: 16,
  width: 16,
  outputs: 8,
  outHeight: 14,
  outWidth: 14,
  kernelHeight: 3,
  kernelWidth: 3,
  strideHeight: 1,
  strideWidth: 1,
  padHeight: 0,
  padWidth: 0,
  dilationHeight: 1,
  dilationWidth: 1,
  group: 1,
};

/** Uses the engine until it says no more; fails when it never does. */
function useUntilError(engine: PortableEngine): string {
  const x = engine.allocate(64 * 4 * 16 * 16);
  const w = engine.allocate(8 * 4 * 9);
  const y = engine.allocate(64 * 8 * 14 * 14);
  for (const start = Date.now(); Date.now() - start < 20_000;) {
    try {
      engine.convolution(shape, x, w, null, y);
    } catch (error) {
      return (error as Error).message;
    }
  }
  return expect.fail('nothing happened');
}

describe('an engine that cannot go on', () => {
  it('says so after dispose', () => {
    const engine = new PortableEngine({ threads: 2 });
    const x = engine.allocate(10);
    engine.dispose();
    expect(() => {
      engine.relu(x, x, 0);
    }).toThrow(/disposed/);
    expect(() => engine.allocate(1)).toThrow(/disposed/);
  });

  it('says so when a thread was ended', async () => {
    const workers: Worker[] = [];
    vi.mocked(threads.startThread).mockImplementation((start, onDeath) => {
      const worker = startThread(start, onDeath);
      workers.push(worker);
      return worker;
    });
    const engine = new PortableEngine({ threads: 3 });
    const x = engine.allocate(1e6);
    engine.relu(x, x, 0);
    await workers[0].terminate();
    expect(() => {
      engine.relu(x, x, 0);
    }).toThrow(/a thread of the tensor engine died.*Start the job again/);
  });

  it('says so when a thread crashes in the middle of its work', () => {
    // Without a stack, the first function that needs one leaves the memory.
    vi.mocked(threads.startThread).mockImplementation((start, onDeath) =>
      startThread({ ...start, stackTop: 0 }, onDeath),
    );
    const engine = new PortableEngine({ threads: 2 });
    expect(useUntilError(engine)).toMatch(/died or does not answer.*Start the job again/);
    expect(() => engine.allocate(1)).toThrow(/cannot go on/);
  });

  it('says so when a thread takes work and never does it', () => {
    // Draws a ticket (a cache line before the count of what is done, kernels/threads.c) and waits for ever.
    const thief = `
      const { memory, done } = require('node:worker_threads').workerData;
      const counters = new Int32Array(memory.buffer);
      while (Atomics.sub(counters, done / 4 - 16, 1) <= 0);
      setInterval(() => {}, 1000);`;
    vi.mocked(threads.startThread).mockImplementation(
      (start) => new Worker(thief, { eval: true, execArgv: [], workerData: start }),
    );
    const engine = new PortableEngine({ threads: 2, patience: 1 });
    expect(useUntilError(engine)).toMatch(/died or does not answer/);
  });

  it('ends its threads when it is disposed', async () => {
    const ends: Promise<unknown>[] = [];
    vi.mocked(threads.startThread).mockImplementation((start, onDeath) => {
      const worker = startThread(start, onDeath);
      ends.push(new Promise((resolve) => worker.once('exit', resolve)));
      return worker;
    });
    new PortableEngine({ threads: 4 }).dispose();
    expect(await Promise.all(ends)).toEqual([0, 0, 0]);
  });
});
