import { Worker } from 'node:worker_threads';

/** What a thread is started with. */
interface Start {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  /** Number of the thread; the caller of the engine is 0. */
  thread: number;
  stackTop: number;
  /** Places of 32-bit counters in the memory, see kernels/threads.c. */
  failed: number;
  done: number;
}

/**
 * The whole program of a thread, as text, so that it needs no file of its own beside the bundle: it serves jobs
 * within the kernels until they send it home. It never returns to its event loop before, so it says itself when it
 * fails.
 */
const program = `
const { workerData: start } = require('node:worker_threads');
try {
  const stalled = () => { throw new Error('not the thread to notice'); };
  const { exports } = new WebAssembly.Instance(start.module, { env: { memory: start.memory, stalled } });
  // A memory that grew while this thread came to life may have kept its old size here, and copies beyond that fail
  // (V8, Node.js 20 and 24: some of 1,000 threads). To grow by nothing tells the present size.
  start.memory.grow(0);
  exports.__stack_pointer.value = start.stackTop;
  exports.serve(start.thread);
} catch (error) {
  const counters = new Int32Array(start.memory.buffer);
  Atomics.store(counters, start.failed / 4, 1);
  Atomics.notify(counters, start.done / 4);
  throw error;
}
`;

/**
 * Starts a thread that serves jobs of the kernels. It does not keep the process alive.
 * @param onDeath told when the thread ends, whatever the reason
 */
export function startThread(start: Start, onDeath: (reason: string) => void): Worker {
  const worker = new Worker(program, {
    eval: true,
    execArgv: [],
    name: `tensor ${String(start.thread)}`,
    workerData: start,
  });
  worker.unref();
  worker.on('error', (error: Error) => {
    onDeath(error.message);
  });
  worker.on('exit', () => {
    onDeath('it ended');
  });
  return worker;
}
