import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openFile } from '../../../src/caffe/byteSource';
import { openModel } from '../../../src/caffe/model';
import { Random } from '../../../src/caffe/random';
import { readBlob } from '../../../src/caffe/readBlob';
import { writeModel } from '../../../src/caffe/writeModel';
import { inspect } from '../../../src/jobs/inspect';
import type { Job } from '../../../src/jobs/job';
import { prune, type PruneParameters } from '../../../src/jobs/prune';
import { restore } from '../../../src/jobs/restore';
import { type BlobRule, choicesFor, parsePlan, type SparseEncoding } from '../../../src/sparsity/recipe';
import { findPython, runPython } from '../../python';

let folder: string;
let file: string;
const signal = new AbortController().signal;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'prune-'));
  file = join(folder, 'net.caffemodel');
  const random = new Random(3);
  const values = (count: number) => Float32Array.from({ length: count }, () => random.normal());
  await writeModel(file, {
    name: 'net',
    layers: [
      {
        name: 'conv/1',
        type: 'Convolution',
        bottoms: ['data'],
        tops: ['conv/1'],
        blobs: [
          { shape: [4, 3, 3, 3], data: values(108) },
          { shape: [4], data: Float32Array.of(1, -0, 0, 2) },
        ],
      },
      { name: 'bn', type: 'BatchNorm', blobs: [{ shape: [4], data: values(4) }] },
      {
        name: 'ip',
        type: 'InnerProduct',
        blobs: [
          { shape: [10, 100], data: values(1000) },
          { shape: [10], data: values(10) },
        ],
      },
    ],
  });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function finish<Event, Result>(job: Job<Event, Result>): Promise<Result> {
  for (;;) {
    const step = await job.next();
    if (step.done) return step.value;
  }
}

async function plan(rule: BlobRule, more: Partial<PruneParameters> = {}): Promise<PruneParameters> {
  const source = await openFile(file);
  const choices = choicesFor(await openModel(source), rule);
  await source.close();
  return { file, existing: 'refuse', encoding: 'relative', seed: 1, choices, ...more };
}

async function valuesOf(path: string): Promise<Float32Array[]> {
  const source = await openFile(path);
  const model = await openModel(source);
  const all = [];
  for (const layer of model.layers) for (const blob of layer.blobs) all.push(await readBlob(source, blob));
  await source.close();
  return all;
}

describe.each<SparseEncoding>(['relative', 'csr', 'csc'])('encoded as %s', (encoding) => {
  test('the dense model comes back bit for bit, into the original and alone', async () => {
    const { outputs, recipe } = await finish(
      prune(await plan({ method: 'keep', keep: 0.1 }, { encoding }), { signal }),
    );
    expect(readdirSync(folder).sort()).toEqual([
      'net.caffemodel',
      'net.pruned.caffemodel',
      'net.pruned.json',
      'net.pruned.npz',
    ]);
    expect(recipe.totals).toMatchObject({ count: 1126 });
    expect(recipe.blobs.map(({ layer, zerosAfter }) => [layer, zerosAfter])).toEqual([
      ['conv/1', 108 - 10],
      ['ip', 1000 - 99],
    ]);
    const back = join(folder, 'back.caffemodel');
    await finish(restore({ file: outputs.sparse, target: back, original: file, replace: false }, { signal }));
    expect(readFileSync(back).equals(readFileSync(outputs.dense))).toBe(true);

    const alone = join(folder, 'alone.caffemodel');
    await finish(restore({ file: outputs.sparse, target: alone, replace: false }, { signal }));
    // The synthetic model holds nothing but what the .npz carries.
    expect(readFileSync(alone).equals(readFileSync(outputs.dense))).toBe(true);
  });
});

test('weights that share values come back bit for bit, and the recipe tells their bytes', async () => {
  const parameters = await plan({ method: 'keep', keep: 0.3 });
  const choices = parameters.choices.map((choice) => ({
    ...choice,
    bits: choice.layer === 'ip' ? 3 : undefined,
  }));
  const { outputs, recipe } = await finish(prune({ ...parameters, choices }, { signal }));
  const [conv, , , ip] = await valuesOf(outputs.dense);
  const shared = new Set(ip.filter((value) => value !== 0));
  expect(shared.size).toBeLessThanOrEqual(7);
  expect(new Set(conv.filter((value) => value !== 0)).size).toBeGreaterThan(7);
  const [convFigures, ipFigures] = recipe.blobs;
  expect(ipFigures.sharedValues).toBe(shared.size);
  expect(ipFigures.bytes.shared).toBeLessThan(ipFigures.bytes.relative / 3);
  expect(ipFigures.bytes.huffman).toBeLessThan(ipFigures.bytes.shared!);
  expect(convFigures.bytes.shared).toBeUndefined();
  expect(recipe.totals.bytes.shared).toBeLessThan(recipe.totals.bytes.relative);

  const back = join(folder, 'back.caffemodel');
  await finish(restore({ file: outputs.sparse, target: back, original: file, replace: false }, { signal }));
  expect(readFileSync(back).equals(readFileSync(outputs.dense))).toBe(true);

  const again = parsePlan(readFileSync(outputs.recipe, 'utf8'));
  const second = await finish(prune({ ...again, file, existing: 'keepBoth' }, { signal }));
  expect(readFileSync(second.outputs.sparse).equals(readFileSync(outputs.sparse))).toBe(true);
});

test('the width of the gaps is the one that was chosen', async () => {
  const parameters = await plan({ method: 'keep', keep: 0.1 });
  const choices = parameters.choices.map((choice) => ({ ...choice, index: 16 as const }));
  const { recipe } = await finish(prune({ ...parameters, choices }, { signal }));
  expect(recipe.blobs.map(({ indexWidth }) => indexWidth)).toEqual([16, 16]);
});

test('only the floats of chosen blobs change', async () => {
  const { outputs } = await finish(prune(await plan({ method: 'threshold', threshold: 1 }), { signal }));
  const before = await valuesOf(file);
  const after = await valuesOf(outputs.dense);
  before.forEach((values, blob) => {
    const expected = [0, 3].includes(blob)
      ? values.map((value) => (Math.abs(value) > 1 ? value : 0))
      : values;
    expect(after[blob]).toEqual(expected);
  });
  const [old, now] = [readFileSync(file), readFileSync(outputs.dense)];
  expect(now.length).toBe(old.length);
});

test('the recipe repeats the run to the byte, the random rule too', async () => {
  const first = await finish(prune(await plan({ method: 'random', keep: 0.3 }, { seed: 7 }), { signal }));
  const files = Object.values({ ...first.outputs }).map((path: string) => readFileSync(path));
  const again = parsePlan(readFileSync(first.outputs.recipe, 'utf8'));
  const second = await finish(
    prune({ ...again, file, existing: 'replace', sha256: again.input?.sha256 }, { signal }),
  );
  Object.values({ ...second.outputs }).forEach((path: string, i) => {
    expect(readFileSync(path).equals(files[i])).toBe(true);
  });
});

test('a global ratio is one threshold over all chosen layers', async () => {
  const { outputs, recipe } = await finish(prune(await plan({ method: 'global', keep: 0.2 }), { signal }));
  const all = (await valuesOf(file))
    .filter((_, blob) => [0, 3].includes(blob))
    .flatMap((values) => Array.from(values));
  const threshold = all.map(Math.abs).sort((a, b) => b - a)[Math.trunc((all.length - 1) * 0.2)];
  expect(recipe.blobs.map((blob) => blob.threshold)).toEqual([threshold, threshold]);
  const [conv] = await valuesOf(outputs.dense);
  expect(conv.filter((value) => value !== 0).every((value) => Math.abs(value) > threshold)).toBe(true);
});

describe('outputs that are there', () => {
  test('are refused, kept beside or replaced as told', async () => {
    const parameters = await plan({ method: 'keep', keep: 0.5 });
    const first = await finish(prune(parameters, { signal }));
    const old = readFileSync(first.outputs.dense);
    const other = { ...parameters, ...(await plan({ method: 'keep', keep: 0.1 })) };
    await expect(finish(prune(other, { signal }))).rejects.toThrow(/there already/);
    expect(readFileSync(first.outputs.dense).equals(old)).toBe(true);
    const second = await finish(prune({ ...other, existing: 'keepBoth' }, { signal }));
    expect(second.outputs.dense).toBe(join(folder, 'net.pruned-2.caffemodel'));
    expect(readFileSync(first.outputs.dense).equals(old)).toBe(true);
    await finish(prune({ ...other, existing: 'replace' }, { signal }));
    expect(readFileSync(first.outputs.dense).equals(readFileSync(second.outputs.dense))).toBe(true);
  });

  test('leave nothing behind when only one of them is', async () => {
    writeFileSync(join(folder, 'net.pruned.json'), 'mine');
    await expect(finish(prune(await plan({ method: 'keep', keep: 0.5 }), { signal }))).rejects.toThrow(
      /there already/,
    );
    expect(readdirSync(folder).sort()).toEqual(['net.caffemodel', 'net.pruned.json']);
  });
});

test('a cancelled run leaves nothing', async () => {
  const controller = new AbortController();
  const job = prune(await plan({ method: 'keep', keep: 0.5 }), { signal: controller.signal });
  controller.abort();
  await expect(finish(job)).rejects.toThrow();
  expect(readdirSync(folder)).toEqual(['net.caffemodel']);
});

test.each<[string, PruneParameters['choices'], RegExp]>([
  ['a layer that is not there', [{ layer: 'x', blob: 0, method: 'keep', keep: 0.5 }], /no such layer/],
  ['a blob that is not there', [{ layer: 'ip', blob: 5, method: 'keep', keep: 0.5 }], /none at 5/],
  [
    'a codebook of no bits',
    [{ layer: 'ip', blob: 0, method: 'keep', keep: 0.5, bits: 0 }],
    /bits cannot be 0/,
  ],
  ['a wrong ratio', [{ layer: 'ip', blob: 0, method: 'keep', keep: 2 }], /keep cannot be 2/],
  [
    'two global ratios',
    [
      { layer: 'ip', blob: 0, method: 'global', keep: 0.2 },
      { layer: 'conv/1', blob: 0, method: 'global', keep: 0.3 },
    ],
    /one keep ratio/,
  ],
])('%s is refused', async (_name, choices, message) => {
  await expect(
    finish(prune({ ...(await plan({ method: 'keep', keep: 1 })), choices }, { signal })),
  ).rejects.toThrow(message);
  expect(readdirSync(folder)).toEqual(['net.caffemodel']);
});

describe('layers that share a name', () => {
  beforeEach(() => {
    rmSync(file);
    return writeModel(file, {
      name: 'net',
      layers: [3, 2, 1].map((factor) => ({
        name: 'ip',
        type: 'InnerProduct',
        blobs: [{ shape: [2, 5], data: Float32Array.from({ length: 10 }, (_, i) => factor * (i + 1)) }],
      })),
    });
  });

  test('are pruned each by a choice of its own', async () => {
    const { outputs, recipe } = await finish(
      prune(await plan({ method: 'threshold', threshold: 6 }), { signal }),
    );
    expect(recipe.blobs.map(({ zerosAfter }) => zerosAfter)).toEqual([2, 3, 6]);
    const back = join(folder, 'back.caffemodel');
    await finish(restore({ file: outputs.sparse, target: back, original: file, replace: false }, { signal }));
    expect(readFileSync(back).equals(readFileSync(outputs.dense))).toBe(true);
  });

  test('are not pruned in part: a name does not say which', async () => {
    const whole = await plan({ method: 'threshold', threshold: 6 });
    const part = { ...whole, choices: whole.choices.slice(1) };
    await expect(finish(prune(part, { signal }))).rejects.toThrow(/3 layers have this name/);
  });
});

test('a model that is not the recipe’s is refused', async () => {
  const parameters = await plan({ method: 'keep', keep: 0.5 }, { sha256: '0'.repeat(64) });
  await expect(finish(prune(parameters, { signal }))).rejects.toThrow(/digest/);
  expect(readdirSync(folder)).toEqual(['net.caffemodel']);
});

test('inspect describes every blob in net order', async () => {
  const job = inspect({ file, bins: 16 }, { signal });
  const seen = [];
  for (;;) {
    const step = await job.next();
    if (step.done) break;
    seen.push(step.value);
  }
  expect(
    seen.map(({ message, inspection }) => [message, inspection.blob, inspection.statistics.count]),
  ).toEqual([
    ['conv/1', 0, 108],
    ['conv/1', 1, 4],
    ['bn', 0, 4],
    ['ip', 0, 1000],
    ['ip', 1, 10],
  ]);
  expect(seen.at(-1)?.fraction).toBe(1);
  for (const { inspection } of seen) {
    expect(inspection.histogram.counts.reduce((a, b) => a + b)).toBe(inspection.statistics.count);
  }
});

const python = findPython('numpy');
test.skipIf(!python)('numpy reads the relative index as the documentation says', async () => {
  const { outputs } = await finish(prune(await plan({ method: 'keep', keep: 0.1 }), { signal }));
  const output = runPython(
    python!,
    `
import sys, json, numpy as np
z = np.load(sys.argv[1], allow_pickle=False)
w, width = z['ip_W'], int(z['ip_W_width'])
gaps = z['ip_W_indx']
if width < 8:
    gaps = np.unpackbits(gaps, bitorder='little')[: width * len(w)].reshape(-1, width) @ (1 << np.arange(width))
dense = np.zeros(z['ip_W_shape'], np.float32)
dense.ravel()[np.cumsum(gaps.astype(np.int64) + 1) - 1] = w
dense.tofile(sys.argv[2])
print(json.dumps([list(dense.shape), list(z['ip_b'].shape)]))
`,
    outputs.sparse,
    join(folder, 'ip.bin'),
  );
  expect(JSON.parse(output)).toEqual([[10, 100], [10]]);
  const dense = (await valuesOf(outputs.dense))[3];
  expect(
    readFileSync(join(folder, 'ip.bin')).equals(
      Buffer.from(dense.buffer, dense.byteOffset, dense.byteLength),
    ),
  ).toBe(true);
});
