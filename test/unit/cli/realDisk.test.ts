import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeModel } from '../../../src/caffe/writeModel';
import { buildCli } from './build';

/** A shell that may mount file systems which it alone sees: Linux, where users may make namespaces. */
const namespace = ['--user', '--map-root-user', '--mount', 'sh', '-euc'];
const canMount = spawnSync('unshare', [...namespace, 'mount -t tmpfs tmpfs /mnt']).status === 0;

let folder: string;
const cli = () => join(folder, 'cli.js');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'real-disk-'));
  await buildCli(cli());
  const data = Float32Array.from({ length: 250_000 }, (_, i) => Math.sin(i));
  const blobs = [{ shape: [500, 500], data }];
  await writeModel(join(folder, 'net.caffemodel'), {
    name: 'net',
    layers: [{ name: 'ip', type: 'InnerProduct', blobs }],
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const left = 'exit 1\nnet.caffemodel\n';
test.skipIf(!canMount).each([
  // The dense model fits once more; the sparse one, with half of the weights, does not fit beside it.
  ['a part of the outputs', 'size=2300k', ':', /net\.pruned\.\w+.*the disk is full.*Make room/s, left],
  [
    'nothing, being read-only',
    'size=8m',
    'mount -o remount,ro disk',
    /read-only.*Choose another folder/s,
    left,
  ],
  [
    'all of them',
    'size=8m',
    ':',
    /^[^]*$/,
    'pruned\nnet.caffemodel\nnet.pruned.caffemodel\nnet.pruned.json\nnet.pruned.npz\n',
  ],
])('a disk that takes %s holds whole outputs or none, and the message says what to do', (...row) => {
  const [, size, before, message, listed] = row;
  const script = `
    mkdir disk && mount -t tmpfs -o ${size} tmpfs disk && cp net.caffemodel disk && ${before}
    "$0" cli.js prune disk/net.caffemodel --keep 0.5 && echo pruned || echo "exit $?"
    ls -A disk && cmp net.caffemodel disk/net.caffemodel`;
  const { stdout, stderr } = spawnSync('unshare', [...namespace, script, process.execPath], {
    cwd: folder,
    encoding: 'utf8',
  });
  rmSync(join(folder, 'disk'), { recursive: true });
  expect(stderr).toMatch(message);
  // What the job says of itself comes before.
  expect(stdout.endsWith(listed)).toBe(true);
});
