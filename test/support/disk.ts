import type * as Fs from 'node:fs';

/** What stands between a test and the disk. */
export interface Disk {
  /** Bytes that still fit. */
  room: number;
  /** Bytes that were written. */
  written: number;
  /** Whether what is written can be flushed. */
  flushes: boolean;
  /** Code of the error with which new files are refused; empty: they are not. */
  refusal: string;
}

const failure = (code: string) => Object.assign(new Error(code), { code });

/** How many of `length` bytes are written; a full disk takes none. */
function take(disk: Disk, length: number): number {
  if (disk.room === 0) throw failure('ENOSPC');
  const taken = Math.min(length, disk.room);
  disk.room -= taken;
  disk.written += taken;
  return taken;
}

/** The file system with that disk under it, for `vi.mock('node:fs', …)`. */
export const onDisk = (disk: Disk, original: typeof Fs): typeof Fs => {
  type Done = (error: Error | null, ...results: unknown[]) => void;
  const openSync: typeof Fs.openSync = (path, flags, ...more) => {
    if (flags === 'wx' && disk.refusal) throw failure(disk.refusal);
    return original.openSync(path, flags, ...more);
  };
  const write = (file: number, buffer: Uint8Array, from: number, length: number, at: number, done: Done) => {
    try {
      original.write(file, buffer, from, take(disk, length), at, done);
    } catch (error) {
      done(error as Error);
    }
  };
  const writeSync = (file: number, buffer: Uint8Array, from: number, length: number, at: number) =>
    original.writeSync(file, buffer, from, take(disk, length), at);
  const fsync = (file: number, done: Done) => {
    if (disk.flushes) original.fsync(file, done);
    else done(failure('EIO'));
  };
  return { ...original, openSync, write, writeSync, fsync } as typeof Fs;
};
