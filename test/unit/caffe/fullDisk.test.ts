import type * as Fs from 'node:fs/promises';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { atomicWrite } from '../../../src/caffe/atomicWrite';
import { CaffeError } from '../../../src/caffe/errors';

/** A disk that takes `room` bytes, and one that fails to flush. */
const disk = vi.hoisted(() => ({ room: Infinity, flushes: true }));
vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof Fs>();
  const failure = (code: string) => Object.assign(new Error(code), { code });
  return {
    ...original,
    open: async (...parameters: Parameters<typeof Fs.open>) => {
      const handle = await original.open(...parameters);
      const write = handle.write.bind(handle) as (...args: unknown[]) => Promise<{ bytesWritten: number }>;
      const sync = handle.sync.bind(handle);
      return Object.assign(handle, {
        write: async (buffer: Uint8Array, offset: number, length: number, position: number) => {
          if (disk.room === 0) throw failure('ENOSPC');
          const taken = Math.min(length, disk.room);
          disk.room -= taken;
          return write(buffer, offset, taken, position);
        },
        sync: () => (disk.flushes ? sync() : Promise.reject(failure('EIO'))),
      });
    },
  };
});

it.each([
  ['full', { room: 5, flushes: true }, /the disk is full/],
  ['failing', { room: Infinity, flushes: false }, /cannot be written \(EIO\)/],
])('leaves everything as it was on a %s disk', async (_, state, message) => {
  const folder = await mkdtemp(join(tmpdir(), 'caffe-'));
  const target = join(folder, 'a');
  await writeFile(target, 'old');
  Object.assign(disk, state);
  const error = await atomicWrite(target, (file) => file.write(new Uint8Array(10)), { replace: true }).catch(
    (thrown: unknown) => thrown,
  );
  Object.assign(disk, { room: Infinity, flushes: true });
  expect(error).toBeInstanceOf(CaffeError);
  expect((error as CaffeError).message).toMatch(message);
  expect(await readdir(folder)).toEqual(['a']);
  expect(await readFile(target, 'utf8')).toBe('old');
  await rm(folder, { recursive: true });
});
