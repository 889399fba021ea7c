import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openFile } from '../../../src/caffe/byteSource';
import { openModel } from '../../../src/caffe/model';
import { openLmdb } from '../../../src/data/lmdb';
import { createSample } from '../../../src/jobs/sample';
import { digitSize, digits } from '../../../src/sample/digits';
import { findPython, runPython } from '../../python';

const folder = mkdtempSync(join(tmpdir(), 'caffe-pruner-sample-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const make = async (name: string, seed = 1, replace = false) => {
  const job = createSample(
    { folder: join(folder, name), train: 300, test: 100, seed, replace },
    { signal: new AbortController().signal },
  );
  for (;;) {
    const step = await job.next();
    if (step.done) return step.value;
  }
};
const digest = (name: string, files: string[]) =>
  files.map((file) => createHash('sha256').update(readFileSync(join(folder, name, file))).digest('hex'));

test('a seed decides every byte', async () => {
  const files = await make('a');
  await make('b');
  await make('c', 2);
  expect(digest('b', files)).toEqual(digest('a', files));
  expect(digest('c', files)).not.toEqual(digest('a', files));
});

test('files that are there are an error unless they may be replaced', async () => {
  await make('d');
  await expect(make('d')).rejects.toThrow('there already');
  await make('d', 1, true);
});

test('the model and the databases are what the prototxts speak of', async () => {
  await make('e');
  const source = await openFile(join(folder, 'e', 'lenet.caffemodel'));
  const model = await openModel(source);
  await source.close();
  expect(model.damage).toEqual([]);
  expect(model.layers.map(({ name, blobs }) => [name, ...blobs.map(({ shape }) => shape)])).toEqual([
    ['conv1', [20, 1, 5, 5], [20]],
    ['conv2', [50, 20, 5, 5], [50]],
    ['ip1', [500, 800], [500]],
    ['ip2', [10, 500], [10]],
  ]);
  const database = await openLmdb(await openFile(join(folder, 'e', 'digits_train_lmdb', 'data.mdb')));
  expect(database.count).toBe(300);
  await database.close();
});

test('a picture fits a box of 20 x 20 pixels, is centred and has ink', () => {
  let labels = 0;
  for (const { label, pixels } of digits(500, 3)) {
    labels |= 1 << label;
    expect(pixels).toHaveLength(digitSize * digitSize);
    const rows = new Set<number>();
    const columns = new Set<number>();
    for (const [i, value] of pixels.entries()) {
      if (value < 128) continue;
      rows.add(Math.floor(i / digitSize));
      columns.add(i % digitSize);
    }
    const larger = Math.max(rows.size, columns.size);
    expect(larger).toBeGreaterThanOrEqual(17);
    expect(larger).toBeLessThanOrEqual(21);
  }
  expect(labels).toBe(1023);
});

const python = findPython('lmdb', 'numpy');
test.skipIf(!python)('a nearest-centroid rule tells most digits from each other, so labels are right', async () => {
  await make('f');
  const script = `
import sys, lmdb, numpy as np
def load(name):
    with lmdb.open(sys.argv[1] + '/' + name, readonly=True).begin() as t:
        # Datum: five bytes-and-integers fields in order; the pixels come after a two-byte length.
        rows = [(np.frombuffer(v[9:9 + 784], np.uint8), v[-1]) for _, v in t.cursor()]
    return np.array([x for x, _ in rows], float), np.array([y for _, y in rows])
x, y = load('digits_train_lmdb'); u, v = load('digits_test_lmdb')
centroids = np.array([x[y == d].mean(0) for d in range(10)])
print((((u[:, None] - centroids) ** 2).sum(2).argmin(1) == v).mean())
`;
  expect(Number(runPython(python!, script, join(folder, 'f')))).toBeGreaterThan(0.5);
});

const withOpenCv = findPython('cv2', 'numpy');
test.skipIf(!withOpenCv)('OpenCV loads the net with its weights and runs it', async () => {
  await make('g');
  const script = `
import sys, cv2, numpy as np
net = cv2.dnn.readNetFromCaffe(sys.argv[1] + '/deploy.prototxt', sys.argv[1] + '/lenet.caffemodel')
net.setInput(np.ones((1, 1, 28, 28), np.float32))
out = net.forward()
print(out.shape, round(float(out.sum()), 4), net.getParam('ip1', 0).shape)
`;
  expect(runPython(withOpenCv!, script, join(folder, 'g')).trim()).toBe('(1, 10) 1.0 (500, 800)');
});
