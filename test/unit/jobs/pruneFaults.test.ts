import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  watch,
  writeFileSync,
  mkdtempSync,
  appendFileSync,
} from 'node:fs';
import type * as Fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { CaffeError } from '../../../src/caffe/errors';
import { Random } from '../../../src/caffe/random';
import { writeModel } from '../../../src/caffe/writeModel';
import { prune, type PruneParameters } from '../../../src/jobs/prune';
import { hangingDisk, stalledDisk } from '../../support/stalledDisk';
import { buildCli } from '../cli/build';

/** What stands between the job and the disk: bytes that fit, and whether a folder takes new files. */
const disk = vi.hoisted(() => ({ room: Infinity, written: 0, flushes: true, refusal: '' }));
vi.mock('node:fs', async (importOriginal) => {
  const { onDisk } = await import('../../support/disk');
  return onDisk(disk, await importOriginal<typeof Fs>());
});

const count = 3_000_000;
const names = ['net.pruned.caffemodel', 'net.pruned.json', 'net.pruned.npz'];
let folder: string;
let file: string;
let original: Buffer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'faults-'));
  file = join(folder, 'net.caffemodel');
  const random = new Random(5);
  await writeModel(file, {
    name: 'net',
    layers: ['a', 'b', 'c'].map((name) => ({
      name,
      type: 'InnerProduct',
      blobs: [
        {
          shape: [100, count / 300],
          data: Float32Array.from({ length: count / 3 }, () => random.unit() - 0.5),
        },
      ],
    })),
  });
  original = readFileSync(file);
  Object.assign(disk, { room: Infinity, written: 0, refusal: '' });
});
afterEach(() => {
  Object.assign(disk, { room: Infinity, refusal: '' });
  rmSync(folder, { recursive: true, force: true });
});

const parameters = (existing: PruneParameters['existing']): PruneParameters => ({
  file,
  existing,
  encoding: 'relative',
  seed: 1,
  choices: ['a', 'b', 'c'].map((layer) => ({ layer, blob: 0, method: 'keep', keep: 0.1 })),
});

/** Runs the job; returns what is told to the user where it fails, and '' where it does not. */
async function attempt(
  existing: PruneParameters['existing'] = 'refuse',
  { signal = new AbortController().signal, onEvent }: { signal?: AbortSignal; onEvent?: () => void } = {},
): Promise<string> {
  try {
    for await (const _event of prune(parameters(existing), { signal })) onEvent?.();
    return '';
  } catch (error) {
    return error instanceof CaffeError ? error.describe() : String(error);
  }
}

/** The folder holds the model as it was, `others`, and nothing else. */
function expectUntouched(others: string[] = []): void {
  expect(readdirSync(folder).sort()).toEqual(['net.caffemodel', ...others]);
  expect(readFileSync(file).equals(original)).toBe(true);
}

describe('a disk that gets full', () => {
  test.each([0, 1, 0.1, 0.5, 0.9, 0.999])('at the share %d of the bytes leaves nothing', async (share) => {
    expect(await attempt()).toBe('');
    for (const name of names) rmSync(join(folder, name));
    disk.room = share === 1 ? disk.written - 1 : Math.floor(disk.written * share);
    expect(await attempt()).toMatch(/net\.pruned\.\w+: the disk is full\. Make room/);
    expectUntouched();
  });

  test('leaves the outputs of an earlier run as they were', async () => {
    for (const name of names) writeFileSync(join(folder, name), `old ${name}`);
    disk.room = 5_000_000;
    expect(await attempt('replace')).toMatch(/the disk is full/);
    expectUntouched(names);
    for (const name of names) expect(readFileSync(join(folder, name), 'utf8')).toBe(`old ${name}`);
  });
});

test.each([
  ['EROFS', /the disk is read-only.*Choose another folder/s],
  ['EACCES', /you may not write here.*Choose another folder or change its permissions/s],
])('a folder that cannot be written to (%s) is told of', async (refusal, message) => {
  disk.refusal = refusal;
  expect(await attempt()).toMatch(message);
  expectUntouched();
});

test('a cancellation in the middle leaves nothing', async () => {
  const controller = new AbortController();
  const error = await attempt('refuse', {
    signal: controller.signal,
    onEvent: () => controller.abort(new Error('enough')),
  });
  expect(error).toMatch(/enough/);
  expectUntouched();
});

test('a file that comes to one of the names meanwhile stays, and the others get none', async () => {
  const recipe = join(folder, 'net.pruned.json');
  expect(await attempt('refuse', { onEvent: () => writeFileSync(recipe, 'mine') })).toMatch(/there already/);
  expectUntouched(['net.pruned.json']);
  expect(readFileSync(recipe, 'utf8')).toBe('mine');
});

test.each<[string, () => void]>([
  ['changes', () => appendFileSync(file, 'more')],
  [
    'is replaced',
    () => {
      writeFileSync(`${file}.new`, original);
      renameSync(`${file}.new`, file);
    },
  ],
])('a model that %s meanwhile is no source of outputs', async (_, change) => {
  let changed = false;
  const error = await attempt('refuse', {
    onEvent() {
      if (!changed) change();
      changed = true;
    },
  });
  expect(error).toMatch(/changed on disk while it was open.*Open it again/s);
  expect(readdirSync(folder)).toEqual(['net.caffemodel']);
});

describe('a process that is stopped in the middle', () => {
  const scripts = mkdtempSync(join(tmpdir(), 'faults-cli-'));
  const [script, stall] = [join(scripts, 'cli.js'), join(scripts, 'stall.js')];
  beforeAll(async () => {
    await buildCli(script);
    writeFileSync(stall, stalledDisk('net.pruned'));
  });
  afterAll(() => rmSync(scripts, { recursive: true }));

  /** Prunes, and calls `interrupt` at the first sign of an output: its temporary file. */
  async function stop(
    interrupt: NodeJS.Signals | ((child: ChildProcess) => void),
    disk = stall,
  ): Promise<unknown[]> {
    const watcher = watch(folder);
    try {
      const child = spawn(process.execPath, ['--require', disk, script, 'prune', file, '--keep', '0.1'], {
        stdio: 'ignore',
      });
      watcher.once('change', () => {
        if (typeof interrupt === 'string') child.kill(interrupt);
        else interrupt(child);
      });
      return await once(child, 'exit');
    } finally {
      watcher.close();
    }
  }

  test('leaves no output by its name when it is killed, and the next run clears up', async () => {
    expect(await stop('SIGKILL')).toEqual([null, 'SIGKILL']);
    const left = readdirSync(folder).filter((name) => name !== 'net.caffemodel');
    expect(left.length).toBeGreaterThan(0);
    for (const name of left) expect(name).toMatch(/^\.net\.pruned\..*\.caffe-pruner-tmp$/);
    expect(readFileSync(file).equals(original)).toBe(true);

    expect(await attempt()).toBe('');
    expectUntouched(names);
  });

  // The last is what a terminal sends whose window is closed.
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('leaves nothing at %s', async (signal) => {
    expect(await stop(signal)).toEqual([130, null]);
    expectUntouched();
  });

  test('leaves nothing when the signal comes again and again and the disk hangs', async () => {
    const hang = join(scripts, 'hang.js');
    writeFileSync(hang, hangingDisk);
    let sending: NodeJS.Timeout | undefined;
    const outcome = await stop((child) => (sending = setInterval(() => child.kill('SIGTERM'), 100)), hang);
    clearInterval(sending);
    expect(outcome).toEqual([130, null]);
    expectUntouched();
  });
});
