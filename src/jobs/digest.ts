import { webcrypto } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { CaffeError } from '../caffe/errors';
import { phrase } from '../phrase';

/** What the thread runs; it is given the path of the file. */
const script = `
const { createHash } = require('node:crypto');
const { openSync, readSync } = require('node:fs');
const { parentPort, workerData } = require('node:worker_threads');
const hash = createHash('sha256');
const file = openSync(workerData, 'r');
const buffer = new Uint8Array(1 << 20);
for (let length; (length = readSync(file, buffer)) > 0; ) hash.update(buffer.subarray(0, length));
parentPort.postMessage(hash.digest('hex'));
`;

/** Up to this many bytes are held at once, and take less time than to start a thread of their own. */
const smallBytes = 1 << 24;

/**
 * SHA-256 of a whole file; of a large one in a thread of its own: it takes about as long as all else that is done to a
 * model.
 * @throws CaffeError when the file cannot be read; what `signal` was aborted with
 */
export async function digestOf(path: string, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  let small: Uint8Array | undefined;
  try {
    // Not awaited: the caller's work would come between the turns of the event loop, and the digest at the very end.
    if (statSync(path).size <= smallBytes) small = readFileSync(path);
  } catch (cause) {
    throw unreadable(path, cause as Error);
  }
  if (small) {
    // In a thread that is there already, while the caller goes on.
    return Buffer.from(await webcrypto.subtle.digest('SHA-256', small)).toString('hex');
  }
  const worker = new Worker(script, { eval: true, workerData: path });
  const abort = () => void worker.terminate();
  signal.addEventListener('abort', abort);
  try {
    return await new Promise<string>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', (cause) => {
        reject(unreadable(path, cause));
      });
      worker.once('exit', () => reject(signal.reason as Error));
    });
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

const unreadable = (file: string, cause: Error) =>
  new CaffeError(phrase`the file cannot be read (${cause.message})`, { file, cause });
