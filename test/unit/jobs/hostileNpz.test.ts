import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { atomicWrite } from '../../../src/caffe/atomicWrite';
import { CaffeError } from '../../../src/caffe/errors';
import { Random } from '../../../src/caffe/random';
import { writeModel } from '../../../src/caffe/writeModel';
import { prune } from '../../../src/jobs/prune';
import { restore } from '../../../src/jobs/restore';
import type { NpyArray } from '../../../src/sparsity/npy';
import { NpzWriter } from '../../../src/sparsity/npz';
import type { ManifestBlob } from '../../../src/sparsity/sparseFile';
import { runJob } from './tinyNet';

const folder = mkdtempSync(join(tmpdir(), 'hostile-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'hostile.npz');
const target = join(folder, 'restored.caffemodel');
const context = () => ({ signal: new AbortController().signal });

/** What restoring alone says; '' when a model came of it. */
async function attempt(): Promise<string> {
  rmSync(target, { force: true });
  try {
    await runJob(restore({ file, target, replace: false }, context()));
    return '';
  } catch (error) {
    expect(readdirSync(folder)).not.toContain('restored.caffemodel');
    if (!(error instanceof CaffeError)) throw error;
    return error.describe();
  }
}

const writeNpz = (arrays: Record<string, NpyArray>, manifest: unknown) =>
  atomicWrite(
    file,
    async (output) => {
      const npz = new NpzWriter(output);
      for (const [name, array] of Object.entries(arrays)) await npz.add(name, array);
      await npz.add('caffe_pruner', new TextEncoder().encode(JSON.stringify(manifest)));
      await npz.finish();
    },
    { replace: true },
  );

const manifestOf = (...blobs: unknown[]) => ({
  format: 'caffe-pruner sparse',
  version: 1,
  name: 'net',
  layers: [{ name: 'ip', type: 'InnerProduct', bottoms: [], tops: [], blobs }],
});

/** A blob of 2x3 values, of which the last two of the first row are there. */
const sound: Record<ManifestBlob['encoding'], [Omit<ManifestBlob, 'encoding'>, Record<string, NpyArray>]> = {
  dense: [{ key: 'W', shape: [2, 3] }, { W: Float32Array.of(0, 1, 2, 0, 0, 0) }],
  relative: [
    { key: 'W', shape: [2, 3], width: 8 },
    { W: Float32Array.of(1, 2), W_indx: Uint8Array.of(1, 0) },
  ],
  csr: [
    { key: 'W', shape: [2, 3] },
    { W_data: Float32Array.of(1, 2), W_indices: Int32Array.of(1, 2), W_indptr: Int32Array.of(0, 2, 2) },
  ],
  csc: [
    { key: 'W', shape: [2, 3] },
    { W_data: Float32Array.of(1, 2), W_indices: Int32Array.of(0, 0), W_indptr: Int32Array.of(0, 0, 1, 2) },
  ],
  shared: [
    { key: 'W', shape: [2, 3], width: 8, bits: 2 },
    {
      W_codebook: Float32Array.of(0, 1, 2),
      W_codes: Uint8Array.of(0b1001),
      W_entries: Uint32Array.of(2),
      W_indx: Uint8Array.of(1, 0),
    },
  ],
};

test.each(Object.entries(sound))('the sound one is restored: %s', async (encoding, [blob, arrays]) => {
  await writeNpz(arrays, manifestOf({ ...blob, encoding }));
  expect(await attempt()).toBe('');
  const bytes = readFileSync(target);
  const values = Buffer.from(Float32Array.of(0, 1, 2, 0, 0, 0).buffer);
  expect(bytes.includes(values)).toBe(true);
});

describe('a manifest that lies', () => {
  const dense = { key: 'W', encoding: 'dense', shape: [2, 3] };
  test.each<[string, unknown, RegExp]>([
    ['null', null, /of a kind that is not known/],
    ['another version', { ...manifestOf(dense), version: 2 }, /of a kind that is not known/],
    ['no layers', { ...manifestOf(dense), layers: {} }, /no net and layers/],
    ['a layer that is a number', { ...manifestOf(dense), layers: [7] }, /layer 0 has no name and type/],
    [
      'a layer without tops',
      { ...manifestOf(), layers: [{ name: 'a', type: 'b', bottoms: [], blobs: [] }] },
      /"a"/,
    ],
    ['a blob that is null', manifestOf(null), /without a key/],
    ['a negative size', manifestOf({ ...dense, shape: [2, -3] }), /"W" whose shape is none/],
    ['half a value', manifestOf({ ...dense, shape: [1.5] }), /"W" whose shape is none/],
    ['a shape in words', manifestOf({ ...dense, shape: ['2', '3'] }), /"W" whose shape is none/],
    ['too many axes', manifestOf({ ...dense, shape: new Array(33).fill(1) }), /"W" whose shape is none/],
    ['more values than fit an int', manifestOf({ ...dense, shape: [65536, 65536] }), /more values than/],
    ['an unknown encoding', manifestOf({ ...dense, encoding: 'lzma' }), /encoding that is not known/],
    ['gaps of 6 bits', manifestOf({ ...dense, encoding: 'relative', width: 6 }), /gaps of 6 bits/],
    ['no codes', manifestOf({ ...dense, encoding: 'shared', width: 8 }), /codes of undefined bits/],
    [
      'another shape',
      manifestOf({ ...dense, shape: [2, 4] }),
      /"W" cannot be restored: 6 values do not fill/,
    ],
    ['no array', manifestOf({ ...dense, key: 'X' }), /no array "X"/],
    [
      'more than a model can hold',
      manifestOf(...new Array(3).fill({ key: 'W', encoding: 'relative', width: 8, shape: [1 << 29] })),
      /cannot have 2 GiB/,
    ],
  ])('%s', async (_name, manifest, message) => {
    await writeNpz(sound.dense[1], manifest);
    expect(await attempt()).toMatch(message);
  });
});

describe('arrays that lie', () => {
  test.each<[ManifestBlob['encoding'], string, NpyArray, RegExp]>([
    ['dense', 'W', Int32Array.of(0, 1, 2, 3, 4, 5), /wrong type/],
    ['relative', 'W_indx', Uint8Array.of(1, 4), /past the end/],
    ['relative', 'W_indx', Uint8Array.of(1), /2 values have 1 gaps/],
    ['relative', 'W_indx', Int32Array.of(-5, 0), /wrong type/],
    ['csr', 'W_indices', Int32Array.of(1, 3), /the index 3 of 3/],
    ['csr', 'W_indices', Int32Array.of(1, -1), /the index -1 of 3/],
    ['csr', 'W_indptr', Int32Array.of(-2147483648, 2, 2), /indptr does not fit/],
    ['csr', 'W_indptr', Int32Array.of(0, 2147483647, 2), /indptr does not fit/],
    ['csr', 'W_indptr', Int32Array.of(0, 2), /indptr does not fit/],
    ['csc', 'W_indices', Int32Array.of(0, 2), /the index 2 of 2/],
    ['shared', 'W_codes', Uint8Array.of(0b1101), /code 3 is not in the codebook/],
    ['shared', 'W_entries', Uint32Array.of(4_000_000_000), /hold fewer than 4000000000 numbers/],
    ['shared', 'W_entries', new Uint32Array(0), /cannot be restored/],
  ])('%s, %s', async (encoding, name, array, message) => {
    const [blob, arrays] = sound[encoding];
    await writeNpz({ ...arrays, [name]: array }, manifestOf({ ...blob, encoding }));
    expect(await attempt()).toMatch(message);
  });

  test('a few bytes that inflate to gigabytes', async () => {
    await writeNpz({ W: new Float32Array(0) }, manifestOf({ key: 'W', encoding: 'dense', shape: [2, 3] }));
    const zip = readFileSync(file);
    // The array's place in the zip is taken by a bomb; its line in the directory, the first, says so.
    const bomb = deflateRawSync(Buffer.alloc(1 << 24));
    const directory = zip.readUInt32LE(zip.length - 6);
    const lines = Buffer.from(zip.subarray(directory));
    lines.writeUInt16LE(8, 10);
    lines.writeUInt32LE(bomb.length, 20);
    lines.writeUInt32LE(0xfffffff0, 24);
    lines.writeUInt32LE(directory, 42);
    const header = Buffer.from(zip.subarray(0, 30));
    header.writeUInt32LE(0, 26);
    lines.writeUInt32LE(directory + 30 + bomb.length, lines.length - 6);
    writeFileSync(file, Buffer.concat([zip.subarray(0, directory), header, bomb, lines]));
    expect(await attempt()).toMatch(/"W" says it has 4294967280 bytes, but no more than \d+ can be meant/);
  });
});

describe('any damage to a file that pruning wrote', () => {
  const files: Buffer[] = [];
  beforeAll(async () => {
    const model = join(folder, 'net.caffemodel');
    const random = new Random(2);
    const data = Float32Array.from({ length: 300 }, () => random.normal());
    await writeModel(model, {
      name: 'net',
      layers: [{ name: 'ip', type: 'InnerProduct', blobs: [{ shape: [3, 100], data }] }],
    });
    for (const [encoding, bits] of [['relative'], ['csr'], ['csc'], ['relative', 3]] as const) {
      const choices = [{ layer: 'ip', blob: 0, method: 'keep' as const, keep: 0.1, bits }];
      const job = prune({ file: model, existing: 'replace', encoding, seed: 1, choices }, context());
      files.push(readFileSync((await runJob(job)).result.outputs.sparse));
    }
  });

  test('is refused or restored, and never anything else', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(3),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.option(fc.nat()),
        async (which, changes, length) => {
          const bytes = Buffer.from(files[which]);
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          writeFileSync(file, length === null ? bytes : bytes.subarray(0, length % bytes.length));
          await attempt();
        },
      ),
      { numRuns: 400 },
    );
  });
});
