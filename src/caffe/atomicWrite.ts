import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, link, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
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
  /** Bytes appended so far. */
  readonly position: number;
}

/** The disk is set to work after so many bytes, while more are being made: the flush at the end is short then. */
const flushBytes = 1 << 26;
const suffix = '.caffe-pruner-tmp';
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
  const files: TemporaryFile[] = [];
  const named: string[] = [];
  try {
    for (const target of targets) {
      if (!replace && (await exists(target))) throw alreadyThere(target);
      files.push(await TemporaryFile.create(target, signal));
    }
    const result = await write(files);
    await Promise.all(files.map((file) => file.finish()));
    signal?.throwIfAborted();
    for (const file of files) {
      await file.putInPlace(replace);
      named.push(file.target);
    }
    for (const folder of new Set(targets.map(dirname))) await syncFolder(folder);
    return result;
  } catch (error) {
    for (const file of files) await file.discard();
    // What was there before is lost where it gave way already; what was not goes again.
    if (!replace) for (const target of named) await unlink(target).catch(() => undefined);
    throw error;
  }
}

/** An output that does not have its name yet. */
class TemporaryFile implements OutputFile {
  position = 0;
  private unflushed = 0;
  private flushing: Promise<void> | undefined;

  private constructor(
    readonly target: string,
    private readonly path: string,
    private readonly handle: FileHandle,
    private readonly signal: AbortSignal | undefined,
  ) {}

  static async create(target: string, signal: AbortSignal | undefined): Promise<TemporaryFile> {
    const folder = dirname(target);
    await removeStale(folder, basename(target));
    const path = join(
      folder,
      `.${basename(target)}.${machine}-${process.pid}-${randomBytes(4).toString('hex')}${suffix}`,
    );
    const handle = await open(path, 'wx').catch((cause: unknown) => {
      throw diskError(target, cause);
    });
    return new TemporaryFile(target, path, handle, signal);
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.writeAt(bytes, this.position);
    this.position += bytes.length;
  }

  async writeAt(bytes: Uint8Array, offset: number): Promise<void> {
    this.signal?.throwIfAborted();
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.handle
        .write(bytes, done, Math.min(bytes.length - done, 1 << 30), offset + done)
        .catch((cause: unknown) => {
          throw diskError(this.target, cause);
        });
      done += bytesWritten;
    }
    this.unflushed += bytes.length;
    if (this.unflushed >= flushBytes) this.flushAhead();
  }

  private flushAhead(): void {
    this.unflushed = 0;
    this.flushing ??= this.handle.datasync().finally(() => (this.flushing = undefined));
    // Should it fail, the sync at the end fails too and tells.
    this.flushing.catch(() => undefined);
  }

  async finish(): Promise<void> {
    try {
      await this.handle.sync();
      await this.handle.close();
    } catch (cause) {
      throw diskError(this.target, cause);
    }
  }

  /** Gives the finished file its name. Without `replace`, a file that came there meanwhile is not overwritten. */
  async putInPlace(replace: boolean): Promise<void> {
    try {
      await putInPlace(this.path, this.target, replace);
    } catch (cause) {
      throw diskError(this.target, cause);
    }
  }

  async discard(): Promise<void> {
    await this.handle.close().catch(() => undefined);
    await unlink(this.path).catch(() => undefined);
  }
}

async function putInPlace(temporary: string, target: string, replace: boolean): Promise<void> {
  if (replace) return rename(temporary, target);
  try {
    await link(temporary, target);
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') throw alreadyThere(target);
    // File systems without hard links (FAT, some network shares): the check comes right before the rename.
    if (await exists(target)) throw alreadyThere(target);
    return rename(temporary, target);
  }
  await unlink(temporary);
}

/** Makes the new name last through a power cut, where folders can be flushed (not on Windows). */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  try {
    await handle?.sync();
  } catch {
    // The file is there; that its name is not flushed yet is no failure.
  } finally {
    await handle?.close();
  }
}

/** Removes what killed processes of this machine left of earlier attempts at the same file. */
async function removeStale(folder: string, name: string): Promise<void> {
  const prefix = `.${name}.${machine}-`;
  const names = await readdir(folder).catch(() => []);
  for (const candidate of names) {
    if (!candidate.startsWith(prefix) || !candidate.endsWith(suffix)) continue;
    const pid = Number(candidate.slice(prefix.length).split('-')[0]);
    if (Number.isInteger(pid) && pid > 0 && !isRunning(pid)) {
      await unlink(join(folder, candidate)).catch(() => undefined);
    }
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

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

const codeOf = (error: unknown) =>
  error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;

const alreadyThere = (target: string) =>
  new CaffeError(phrase`the file is there already`, {
    file: target,
    advice: phrase`Choose another name or replace it`,
  });

const explanations: Readonly<Record<string, readonly [Phrase, Phrase]>> = {
  ENOSPC: [phrase`the disk is full`, phrase`Make room and try again; nothing was changed`],
  EDQUOT: [phrase`your share of the disk is used up`, phrase`Make room and try again; nothing was changed`],
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
