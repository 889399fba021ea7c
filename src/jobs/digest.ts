import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { ByteSource } from '../caffe/byteSource';
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

/** Up to this many bytes a digest takes less time than to start a thread. */
const smallBytes = 1 << 24;

/**
 * SHA-256 of a whole file; of a large one in a thread of its own: it takes about as long as all else that is done to a
 * model.
 * @throws CaffeError when the file cannot be read; what `signal` was aborted with
 */
export async function digestOf(path: string, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  try {
    if (statSync(path).size <= smallBytes) return smallDigest(path);
  } catch (cause) {
    throw unreadable(path, cause as Error);
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

/**
 * A digest that is needed later. That of a large file is begun at once, that of a small one when it is asked for: best
 * while the disk is busy.
 */
export function laterDigest({ name, size }: ByteSource, signal: AbortSignal): () => Promise<string> {
  if (size <= smallBytes) return () => digestOf(name, signal);
  const digest = digestOf(name, signal);
  // Something else may fail before it is waited for.
  digest.catch(() => undefined);
  return () => digest;
}

function smallDigest(path: string): string {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(1 << 16);
  const file = openSync(path, 'r');
  try {
    for (let length; (length = readSync(file, buffer)) > 0;) hash.update(buffer.subarray(0, length));
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}

const unreadable = (file: string, cause: Error) =>
  new CaffeError(phrase`the file cannot be read (${cause.message})`, { file, cause });
