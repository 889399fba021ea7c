import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openFile } from '../../src/caffe/byteSource';
import { type Model, type ModelBlob, openModel } from '../../src/caffe/model';
import { readBlob } from '../../src/caffe/readBlob';
import { prune, type PruneResult } from '../../src/jobs/prune';
import { restore } from '../../src/jobs/restore';
import { choicesFor, type SparseEncoding } from '../../src/sparsity/recipe';
import { findPython, runPython } from '../python';
import { runJob } from '../unit/jobs/tinyNet';

const models = join(import.meta.dirname, '../../../shared/models');
const present = existsSync(models);
const python = present ? findPython('numpy', 'scipy') : undefined;
const openCv = present ? findPython('numpy', 'cv2') : undefined;
const folder = mkdtempSync(join(tmpdir(), 'prune-real-'));
afterAll(() => rmSync(folder, { recursive: true }));
const context = () => ({ signal: new AbortController().signal });
const keep = 0.2;

/** Real models of every format, and one net in every encoding of its weights. */
const files = !present
  ? []
  : [
      'lenet5-z0/lenet_iter_10000.caffemodel',
      'lenet5-dns/caffe_lenet5_sparse.caffemodel',
      'lenet300-dns/caffe_lenet300100_original.caffemodel',
      'cifar10-bxuan/cifar10_quick_iter_5000.caffemodel.h5',
      'cifar10-arm-cmsis/quantized_cifar10_m4_iter_70000.caffemodel',
      'mtcnn/det1.caffemodel',
      'mtcnn/det3.caffemodel',
      'ultraface/slim-320.caffemodel',
      'deep-landmark/1_F.caffemodel',
      'cnn3dobj-triplet/3d_triplet_iter_30000.caffemodel',
      ...readdirSync(join(models, 'derived-encodings-small'))
        .filter((name) => name.endsWith('.caffemodel') && !name.includes('truncated'))
        .map((name) => `derived-encodings-small/${name}`),
    ];

const bytesOf = (values: Float32Array) => Buffer.from(values.buffer, values.byteOffset, values.byteLength);

/** Opens a model and reads all its values. */
async function contents(file: string): Promise<{ model: Model; values: Map<ModelBlob, Float32Array> }> {
  const source = await openFile(file);
  try {
    const model = await openModel(source);
    const values = new Map<ModelBlob, Float32Array>();
    for (const { blobs } of model.layers) {
      for (const blob of blobs) values.set(blob, (await readBlob(source, blob)).slice());
    }
    return { model, values };
  } finally {
    await source.close();
  }
}

async function pruned(
  file: string,
  encoding: SparseEncoding,
): Promise<{ copy: string; result: PruneResult }> {
  const copy = join(folder, `${encoding}-${basename(file)}`);
  copyFileSync(file, copy);
  const { model } = await contents(copy);
  const choices = choicesFor(model, { method: 'keep', keep });
  expect(choices.length).toBeGreaterThan(0);
  const { result } = await runJob(
    prune({ file: copy, existing: 'replace', encoding, seed: 1, choices }, context()),
  );
  return { copy, result };
}

/** 1 for each byte of the file that holds values. */
function valueBytes(model: Model, size: Record<string, number>): Uint8Array {
  const mask = new Uint8Array(model.size);
  for (const { blobs } of model.layers) {
    for (const { segments, encoding } of blobs) {
      for (const { offset, count, stride } of segments) {
        for (let i = 0; i < count; i++)
          mask.fill(1, offset + i * stride, offset + i * stride + size[encoding]);
      }
    }
  }
  return mask;
}

/**
 * What numpy and scipy make of the .npz, without pickle: for each blob of the manifest the bytes of its values, which
 * Python writes into one file back to back.
 */
const READ_NPZ = `
import sys, json, numpy as np
from scipy import sparse
path, target = sys.argv[1:]
npz = np.load(path, allow_pickle=False)
manifest = json.loads(npz['caffe_pruner'].tobytes().decode())
with open(target, 'wb') as out:
    for layer in manifest['layers']:
        for blob in layer['blobs']:
            key, encoding, shape = blob['key'], blob['encoding'], blob['shape']
            count = int(np.prod(shape))
            if encoding == 'dense':
                values = npz[key].ravel()
            elif encoding == 'relative':
                width = int(npz[key + '_width'])
                entries, packed = npz[key], npz[key + '_indx']
                if width < 8:
                    bits = np.unpackbits(packed, bitorder='little')[:width * len(entries)].reshape(-1, width)
                    packed = bits @ (1 << np.arange(width))
                values = np.zeros(count, np.float32)
                values[np.cumsum(packed.astype(np.int64) + 1) - 1] = entries
                assert npz[key + '_shape'].tolist() == shape
            else:
                kind = sparse.csr_matrix if encoding == 'csr' else sparse.csc_matrix
                parts = tuple(npz[key + '_' + part] for part in ('data', 'indices', 'indptr'))
                matrix = kind(parts, shape=npz[key + '_shape'])
                matrix.check_format(full_check=True)
                values = matrix.toarray().ravel()
            assert values.dtype == np.float32 and values.size == count, key
            out.write(values.tobytes())
`;

describe.skipIf(!present).each(files)('%s', (name) => {
  const file = join(models, name);

  test.skipIf(!python).each<SparseEncoding>(['relative', 'csr', 'csc'])(
    'pruned to %s: numpy reads it, and it comes back bit for bit',
    async (encoding) => {
      const { copy, result } = await pruned(file, encoding);
      const { outputs } = result;
      const read = join(folder, 'read.bin');
      runPython(python!, READ_NPZ, outputs.sparse, read);
      const { values } = await contents(outputs.dense);
      const bytes = readFileSync(read);
      let offset = 0;
      for (const blob of values.values()) {
        const theirs = bytes.subarray(offset, (offset += blob.byteLength));
        // -0 is a stored value in all forms; scipy keeps it as well.
        expect(theirs.equals(bytesOf(blob))).toBe(true);
      }
      expect(offset).toBe(bytes.length);

      const target = join(folder, 'restored');
      await runJob(restore({ file: outputs.sparse, target, original: copy, replace: true }, context()));
      expect(readFileSync(target).equals(readFileSync(outputs.dense))).toBe(true);

      // Alone, the values are the same, whatever they were stored as.
      await runJob(restore({ file: outputs.sparse, target, replace: true }, context()));
      const alone = await contents(target);
      const expected = [...values.values()];
      expect([...alone.values.values()].map((blob, i) => bytesOf(blob).equals(bytesOf(expected[i])))).toEqual(
        expected.map(() => true),
      );
    },
  );

  test('differs from the original in the pruned floats alone, which are what a sort says', async () => {
    const { copy, result } = await pruned(file, 'relative');
    const before = readFileSync(copy);
    const after = readFileSync(result.outputs.dense);
    expect(after.length).toBe(before.length);
    const { model, values } = await contents(copy);
    const mask = valueBytes(model, { float: 4, double: 8, half: 2 });
    for (let i = 0; i < before.length; i++)
      if (!mask[i] && before[i] !== after[i]) throw new Error(`byte ${i}`);
    const outcome = await contents(result.outputs.dense);
    const changed = new Set(result.recipe.blobs.map(({ layer, blob }) => `${blob} ${layer}`));
    let changes = 0;
    for (const layer of model.layers) {
      for (const blob of layer.blobs) {
        const old = values.get(blob)!;
        const now = outcome.values.get(outcome.model.layers[layer.index].blobs[blob.index])!;
        const sorted = old.map(Math.abs).sort().reverse();
        const threshold = changed.has(`${blob.index} ${layer.name}`)
          ? sorted[Math.trunc((old.length - 1) * keep)]
          : -1;
        const expected = old.map((value) => (Math.abs(value) > threshold ? value : 0));
        if (expected.some((value) => value !== 0) || threshold < 0) {
          expect(bytesOf(now).equals(bytesOf(expected))).toBe(true);
        }
        changes += expected.filter((value, i) => !Object.is(value, old[i])).length;
      }
    }
    expect(changes).toBeGreaterThan(0);
  });
});

/** What OpenCV's dnn makes of a model, and of the original with the same weights zeroed by numpy. */
const OPENCV = `
import sys, json, numpy as np, cv2
prototxt, original, dense, reference, places, keep = sys.argv[1:]
masked = np.fromfile(original, np.uint8)
for offset, count in json.loads(places):
    w = masked[offset:offset + 4 * count].view(np.float32)
    threshold = -np.sort(-np.abs(w))[int((w.size - 1) * float(keep))]
    w *= np.abs(w) > threshold
    w += 0  # of -0, +0
inputs = {name[3:]: value for name, value in np.load(reference).items() if name.startswith('in:')}
def run(model):
    net = cv2.dnn.readNetFromCaffe(open(prototxt, 'rb').read(), model)
    for name, value in inputs.items(): net.setInput(value, name)
    return net.forward(net.getUnconnectedOutLayersNames())
ours, theirs = run(open(dense, 'rb').read()), run(masked.tobytes())
untouched = run(open(original, 'rb').read())
same = all(np.array_equal(a, b) for a, b in zip(ours, theirs))
different = any(not np.array_equal(a, b) for a, b in zip(ours, untouched))
print(json.dumps({'outputs': len(ours), 'same': same, 'different': different,
                  'finite': all(bool(np.isfinite(a).all()) for a in ours)}))
`;

describe.skipIf(!openCv)('in OpenCV', () => {
  test.each([
    ['lenet5-z0/lenet_iter_10000.caffemodel', 'lenet5-z0/lenet.prototxt'],
    ['mtcnn/det1.caffemodel', 'mtcnn/det1.prototxt'],
    ['mtcnn/det2.caffemodel', 'mtcnn/det2.prototxt'],
    ['mtcnn/det3.caffemodel', 'mtcnn/det3.prototxt'],
    ['ultraface/slim-320.caffemodel', 'ultraface/slim-320.prototxt'],
    ['cifar10-bxuan/cifar10_quick_iter_4000.caffemodel', 'cifar10-bxuan/cifar10_quick.prototxt'],
  ])('%s runs pruned as with weights that numpy zeroed', async (name, prototxt) => {
    const { copy, result } = await pruned(join(models, name), 'relative');
    const { model } = await contents(copy);
    const places = result.recipe.blobs.flatMap(({ layer, blob }) =>
      model.layers
        .find((candidate) => candidate.name === layer)!
        .blobs[blob].segments.map(({ offset, count }) => [offset, count]),
    );
    const reference = join(models, name, '..', 'opencv_ref', `${basename(name)}__${basename(prototxt)}.npz`);
    const said = runPython(
      openCv!,
      OPENCV,
      join(models, prototxt),
      copy,
      result.outputs.dense,
      reference,
      JSON.stringify(places),
      String(keep),
    );
    const { outputs, ...judgement } = JSON.parse(said) as Record<string, unknown>;
    expect(outputs).toBeGreaterThan(0);
    expect(judgement).toEqual({ same: true, different: true, finite: true });
  });
});
