import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fdatasync,
  fsync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { phrase, type Phrase } from '../phrase';
import { CaffeError } from './errors';

export interface AtomicWriteOptions {
  /** Aborting it leaves nothing behind. */
  signal?: AbortSignal;
  /** Whether a file that stands at the target gives way; otherwise that is an error. */
  replace?: boolean;
}

/** A file that is being written under a temporary name. */
export interface OutputFile {
  /** Appends. */
  write(bytes: Uint8Array): Promise<void>;
  /** Writes at a byte offset; appending goes on where it was. */
  writeAt(bytes: Uint8Array, offset: number): Promise<void>;
  /** Sets the disk to work on what was written, while the caller does something else. */
  flush(): void;
  /** Bytes appended so far. */
  readonly position: number;
}

/*
 * What takes the system microseconds is waited for: a turn of the event loop takes longer. Only the worker and the
 * command line write, so no editor waits.
 */
const sync = promisify(fsync);
const syncData = promisify(fdatasync);

/** Writes up to so many bytes are waited for. */
const smallWrite = 1 << 16;
/** There is a flush after so many bytes, while more are being made: the one at the end is short then. */
const flushBytes = 1 << 26;
const suffix = '.caffe-pruner-tmp';
/** The temporary files of this process. */
const temporaryFiles = new Set<string>();
/** Tells the processes of this machine from those of others that write to the same shared folder. */
const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

/**
 * Writes the file `target` through `write`: to a temporary name in the same folder, flushed to the disk and
 * renamed. At no moment does the target hold part of the output; when anything fails or is aborted, the
 * temporary file is removed and the target is what it was.
 * @throws CaffeError when the folder or the disk does not take the file; whatever `write` throws
 */
export const atomicWrite = <Result>(
  target: string,
  write: (file: OutputFile) => Promise<Result>,
  options?: AtomicWriteOptions,
): Promise<Result> => atomicWriteAll([target], ([file]) => write(file), options);

/** The same for files that belong together: all are whole and flushed before the first gets its name. */
export async function atomicWriteAll<Result>(
  targets: readonly string[],
  write: (files: OutputFile[]) => Promise<Result>,
  { signal, replace = false }: AtomicWriteOptions = {},
): Promise<Result> {
  signal?.throwIfAborted();
  const files = targets.map((target) => new TemporaryFile(target, signal));
  const folders = [...new Set(targets.map(dirname))];
  const named: string[] = [];
  // At once: who is waiting for a slow disk may be killed for it.
  const remove = () => files.forEach((file) => file.remove());
  signal?.addEventListener('abort', remove);
  try {
    for (const folder of folders) removeStale(folder, targets);
    for (const file of files) file.create(replace);
    const result = await write(files);
    await all(files.map((file) => file.finish()));
    signal?.throwIfAborted();
    for (const file of files) {
      file.putInPlace(replace);
      named.push(file.target);
    }
    await all(folders.map(syncFolder));
    return result;
  } catch (error) {
    await all(files.map((file) => file.discard()));
    // What was there before is lost where it gave way already; what was not goes again.
    if (!replace) named.forEach(removeQuietly);
    throw error;
  } finally {
    signal?.removeEventListener('abort', remove);
  }
}

/** Waits for all, those after one that failed too, so that nothing goes on behind the back of who clears up. */
async function all(work: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(work);
  await Promise.all(work);
}

/** An output that does not have its name yet. */
class TemporaryFile implements OutputFile {
  position = 0;
  private unflushed = 0;
  private flushing: Promise<void> | undefined;
  /** What the system does with the file while others have their turn. */
  private readonly underWay = new Set<Promise<unknown>>();

  private readonly path: string;
  private descriptor: number | undefined;

  constructor(
    readonly target: string,
    private readonly signal: AbortSignal | undefined,
  ) {
    const name = `${prefixOf(target)}${process.pid}-${randomBytes(4).toString('hex')}${suffix}`;
    this.path = join(dirname(target), name);
  }

  /** With `replace`, another file may stand at the target. */
  create(replace: boolean): void {
    if (!replace && existsSync(this.target)) throw alreadyThere(this.target);
    try {
      this.descriptor = openSync(this.path, 'wx');
      keepUntilExit(this.path);
    } catch (cause) {
      throw diskError(this.target, cause);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.writeAt(bytes, this.position);
    this.position += bytes.length;
  }

  async writeAt(bytes: Uint8Array, offset: number): Promise<void> {
    this.signal?.throwIfAborted();
    const descriptor = this.descriptor!;
    try {
      for (let done = 0; done < bytes.length;) {
        const length = Math.min(bytes.length - done, 1 << 30);
        done +=
          length <= smallWrite
            ? writeSync(descriptor, bytes, done, length, offset + done)
            : await this.alongside(writeSome(descriptor, bytes, done, length, offset + done));
      }
    } catch (cause) {
      throw diskError(this.target, cause);
    }
    this.unflushed += bytes.length;
    if (this.unflushed >= flushBytes) this.flush();
  }

  flush(): void {
    this.unflushed = 0;
    this.flushing ??= this.alongside(syncData(this.descriptor!)).finally(() => (this.flushing = undefined));
    // Should it fail, the sync at the end fails too and tells.
    this.flushing.catch(() => undefined);
  }

  async finish(): Promise<void> {
    try {
      await sync(this.descriptor!);
      await this.close();
    } catch (cause) {
      throw diskError(this.target, cause);
    }
  }

  /** Gives the finished file its name. Without `replace`, a file that came there meanwhile is not overwritten. */
  putInPlace(replace: boolean): void {
    try {
      putInPlace(this.path, this.target, replace);
      temporaryFiles.delete(this.path);
    } catch (cause) {
      throw diskError(this.target, cause);
    }
  }

  async discard(): Promise<void> {
    // What was written goes anyway.
    await this.close().catch(() => undefined);
    this.remove();
  }

  remove(): void {
    removeQuietly(this.path);
    temporaryFiles.delete(this.path);
  }

  private alongside<Result>(work: Promise<Result>): Promise<Result> {
    this.underWay.add(work);
    return work.finally(() => this.underWay.delete(work));
  }

  private async close(): Promise<void> {
    // The system gives the number to the next file that is opened: nothing may be done to that here.
    await Promise.allSettled(this.underWay);
    const { descriptor } = this;
    this.descriptor = undefined;
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** A process that ends in the middle, because nobody waits any longer, takes its temporary files with it. */
function keepUntilExit(path: string): void {
  process.off('exit', removeAll).on('exit', removeAll);
  temporaryFiles.add(path);
}

const removeAll = () => temporaryFiles.forEach(removeQuietly);

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is not there, or the next attempt at the same file removes it.
  }
}

function putInPlace(temporary: string, target: string, replace: boolean): void {
  if (replace) return renameSync(temporary, target);
  try {
    linkSync(temporary, target);
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') throw alreadyThere(target);
    // File systems without hard links (FAT, some network shares): the check comes right before the rename.
    if (existsSync(target)) throw alreadyThere(target);
    return renameSync(temporary, target);
  }
  unlinkSync(temporary);
}

/** Makes the new name last through a power cut, where folders can be flushed (not on Windows). */
async function syncFolder(folder: string): Promise<void> {
  let file: number | undefined;
  try {
    file = openSync(folder, 'r');
    await sync(file);
  } catch {
    // The file is there; that its name is not flushed yet is no failure.
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

const writeSome = (descriptor: number, bytes: Uint8Array, from: number, length: number, position: number) =>
  new Promise<number>((resolve, reject) => {
    write(descriptor, bytes, from, length, position, (error, written) => {
      if (error) reject(error);
      else resolve(written);
    });
  });

/** How the temporary names of a file begin. */
const prefixOf = (target: string) => `.${basename(target)}.${machine}-`;

/** Removes what killed processes of this machine left in a folder of earlier attempts at the same files. */
function removeStale(folder: string, targets: readonly string[]): void {
  const prefixes = targets.map(prefixOf);
  for (const candidate of namesIn(folder)) {
    const prefix = candidate.endsWith(suffix) && prefixes.find((begin) => candidate.startsWith(begin));
    if (!prefix) continue;
    const pid = Number(candidate.slice(prefix.length).split('-')[0]);
    const path = join(folder, candidate);
    // In a container each process may have the number of the one before.
    const isLeft = pid === process.pid ? !temporaryFiles.has(path) : pid > 0 && !isRunning(pid);
    if (isLeft) removeQuietly(path);
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}

const codeOf = (error: unknown) =>
  error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;

/** That a file stands where another is to be written. */
export const alreadyThere = (target: string): CaffeError =>
  new CaffeError(phrase`the file is there already`, {
    file: target,
    advice: phrase`Choose another name or replace it`,
  });

const explanations: Readonly<Record<string, readonly [Phrase, Phrase]>> = {
  ENOSPC: [phrase`the disk is full`, phrase`Make room and try again; nothing was changed`],
  EDQUOT: [phrase`your share of the disk is used up`, phrase`Make room and try again; nothing was changed`],
  EFBIG: [
    phrase`the disk takes no file of this size`,
    phrase`Choose a folder on another disk, or raise the limit`,
  ],
  EROFS: [phrase`the disk is read-only`, phrase`Choose another folder`],
  EACCES: [phrase`you may not write here`, phrase`Choose another folder or change its permissions`],
  EPERM: [phrase`you may not write here`, phrase`Choose another folder or change its permissions`],
  ENOENT: [phrase`the folder does not exist`, phrase`Choose another folder`],
  EISDIR: [phrase`a folder has this name`, phrase`Choose another name`],
  ENAMETOOLONG: [phrase`the file name is too long`, phrase`Choose another name`],
};

/** What a failed system call means to the user; errors that are no system call's pass through. */
function diskError(target: string, cause: unknown): unknown {
  const code = codeOf(cause);
  if (cause instanceof CaffeError || code === undefined || !/^E[A-Z0-9]+$/.test(code)) return cause;
  const [what, advice] = explanations[code] ?? [phrase`the file cannot be written (${code})`, undefined];
  return new CaffeError(what, { file: target, advice, cause });
}
