import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LayerParameter } from '../../../src/caffe/messages';
import { openFeed } from '../../../src/data/openFeed';
import { openItems } from '../../../src/data/openItems';

const shared = join(import.meta.dirname, '../../../../shared');
const lmdb = join(shared, 'models/mnist-data/lmdb-mapsize-doubling/mnist_test_lmdb');
const images = join(shared, 'mnist/t10k-images-idx3-ubyte.gz');
const options = { mode: 'native', size: undefined, rootFolder: '', folders: [shared] } as const;

describe.skipIf(!existsSync(shared))('MNIST', () => {
  it('is the same in the LMDB database that the real Caffe wrote and in the idx files it was made from', async () => {
    const database = await openItems(lmdb, options);
    const files = await openItems(images, options);
    expect(database.count).toBe(10_000);
    expect(files.count).toBe(10_000);
    const expected = files.items();
    let compared = 0;
    for await (const { label, pixels } of database.items()) {
      const { value } = await expected.next();
      expect(label).toBe(value?.label);
      expect(Buffer.compare(Buffer.from(pixels.data), Buffer.from(value!.pixels.data))).toBe(0);
      compared++;
    }
    expect(compared).toBe(10_000);
    await database.close();
  });

  it('is read and scaled in batches of 100 by the layer of lenet_train_test.prototxt', async () => {
    const layer = {
      name: 'mnist',
      type: 'Data',
      top: ['data', 'label'],
      transform_param: { scale: 0.00390625 },
      data_param: { source: 'examples/mnist/mnist_test_lmdb', batch_size: 100, backend: 'LMDB' },
    } as LayerParameter;
    const feed = await openFeed(layer, { phase: 'TEST', folders: [join(lmdb, '..')] });
    const counts = new Array<number>(10).fill(0);
    let sum = 0;
    for await (const { tops, items } of feed.pass()) {
      expect(items).toHaveLength(100);
      for (const label of tops[1].data) counts[label]++;
      for (const value of tops[0].data) sum += value;
    }
    // The digits of the test set, and its mean pixel of 0.1325 (of 255).
    expect(counts).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    expect((sum * 256) / 255 / (10_000 * 784)).toBeCloseTo(0.1325, 4);
    await feed.close();
  });
});
