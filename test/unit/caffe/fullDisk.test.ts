import type * as Fs from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { atomicWrite } from '../../../src/caffe/atomicWrite';
import { CaffeError } from '../../../src/caffe/errors';

/** A disk that takes `room` bytes, and one that fails to flush. */
const disk = vi.hoisted(() => ({ room: Infinity, written: 0, flushes: true, refusal: '' }));
vi.mock('node:fs', async (importOriginal) => {
  const { onDisk } = await import('../../support/disk');
  return onDisk(disk, await importOriginal<typeof Fs>());
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
