import type * as Fs from 'node:fs';
import type * as FsPromises from 'node:fs/promises';

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

/** The file system with that disk under it, for `vi.mock('node:fs/promises', …)`. */
export function onDisk(disk: Disk, original: typeof FsPromises): typeof FsPromises {
  return {
    ...original,
    open: async (...parameters: Parameters<typeof FsPromises.open>) => {
      if (parameters[1] === 'wx' && disk.refusal) throw failure(disk.refusal);
      const handle = await original.open(...parameters);
      const write = handle.write.bind(handle) as (...args: unknown[]) => Promise<{ bytesWritten: number }>;
      const sync = handle.sync.bind(handle);
      return Object.assign(handle, {
        write: async (buffer: Uint8Array, offset: number, length: number, position: number) =>
          write(buffer, offset, take(disk, length), position),
        sync: () => (disk.flushes ? sync() : Promise.reject(failure('EIO'))),
      });
    },
  };
}

/** The same for `vi.mock('node:fs', …)`: small writes are not awaited. */
export const onDiskSync = (disk: Disk, original: typeof Fs): typeof Fs => ({
  ...original,
  writeSync: ((file: number, buffer: Uint8Array, offset: number, length: number, position: number) =>
    original.writeSync(file, buffer, offset, take(disk, length), position)) as typeof Fs.writeSync,
});
