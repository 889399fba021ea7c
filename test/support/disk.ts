import type * as Fs from 'node:fs/promises';

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

/** The file system with that disk under it, for `vi.mock('node:fs/promises', …)`. */
export function onDisk(disk: Disk, original: typeof Fs): typeof Fs {
  const failure = (code: string) => Object.assign(new Error(code), { code });
  return {
    ...original,
    open: async (...parameters: Parameters<typeof Fs.open>) => {
      if (parameters[1] === 'wx' && disk.refusal) throw failure(disk.refusal);
      const handle = await original.open(...parameters);
      const write = handle.write.bind(handle) as (...args: unknown[]) => Promise<{ bytesWritten: number }>;
      const sync = handle.sync.bind(handle);
      return Object.assign(handle, {
        write: async (buffer: Uint8Array, offset: number, length: number, position: number) => {
          if (disk.room === 0) throw failure('ENOSPC');
          const taken = Math.min(length, disk.room);
          disk.room -= taken;
          disk.written += taken;
          return write(buffer, offset, taken, position);
        },
        sync: () => (disk.flushes ? sync() : Promise.reject(failure('EIO'))),
      });
    },
  };
}
