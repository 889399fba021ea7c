import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as h5wasm from 'h5wasm/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CaffeError } from '../../../src/caffe/errors';
import type { LayerParameter } from '../../../src/caffe/messages';
import type { Batch, Feed } from '../../../src/data/feed';
import { decodeImage } from '../../../src/data/image';
import { locate, searchFolders } from '../../../src/data/locate';
import { openFeed, openItemSource, type FeedOptions } from '../../../src/data/openFeed';
import { pick } from '../../../src/data/items';
import { fixture } from './support';
import { phrase } from '../../../src/phrase';
import { described } from '../../support/described';

const folder = mkdtempSync(join(tmpdir(), 'feed-'));
afterAll(() => rmSync(folder, { recursive: true }));

const layerOf = (type: string, fields: Partial<LayerParameter>): LayerParameter => ({
  name: 'data',
  type,
  bottom: [],
  top: ['data', 'label'],
  loss_weight: [],
  param: [],
  propagate_down: [],
  include: [],
  exclude: [],
  ...fields,
});
const options = (more: Partial<FeedOptions> = {}): FeedOptions => ({
  phase: 'TEST',
  folders: [folder],
  ...more,
});

async function passOf(feed: Feed): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const batch of feed.pass()) batches.push(batch);
  await feed.close();
  return batches;
}

/** idx files of 5 images of 2 x 3; pixel j of image i is 10 i + j, its label is i * i. */
const idx = {
  images: Buffer.from([
    0,
    0,
    8,
    3,
    ...[0, 0, 0, 5],
    ...[0, 0, 0, 2],
    ...[0, 0, 0, 3],
    ...Array.from({ length: 30 }, (_, i) => 10 * Math.floor(i / 6) + (i % 6)),
  ]),
  labels: Buffer.from([0, 0, 8, 1, ...[0, 0, 0, 5], 0, 1, 4, 9, 16]),
};
const idxLayer = (batch_size: number) =>
  layerOf('Data', {
    data_param: { source: 'five-images-idx3-ubyte', batch_size },
    transform_param: { scale: 0.5 },
  });

beforeAll(async () => {
  writeFileSync(join(folder, 'five-images-idx3-ubyte'), idx.images);
  writeFileSync(join(folder, 'five-labels-idx1-ubyte'), idx.labels);
  writeFileSync(join(folder, 'zipped-images-idx3-ubyte.gz'), gzipSync(idx.images));
  writeFileSync(join(folder, 'zipped-labels-idx1-ubyte.gz'), gzipSync(idx.labels));
  const names = ['rgb.png', 'gray.png', '444.jpg', '420.jpg'];
  for (const name of names) writeFileSync(join(folder, name), readFileSync(fixture(`images/${name}`)));
  writeFileSync(join(folder, 'list.txt'), names.map((name, i) => `${name} ${i + 5}\n`).join(''));

  await h5wasm.ready;
  for (const [file, first, rows] of [
    ['a.h5', 0, 3],
    ['b.h5', 3, 4],
  ] as const) {
    const h5 = new h5wasm.File(join(folder, file), 'w');
    const values = Array.from({ length: rows * 2 }, (_, i) => first * 2 + i);
    h5.create_dataset({ name: 'data', data: Float32Array.from(values), shape: [rows, 2] });
    h5.create_dataset({
      name: 'label',
      data: Int32Array.from({ length: rows }, (_, i) => first + i),
      shape: [rows],
    });
    h5.close();
  }
  writeFileSync(join(folder, 'h5.txt'), 'a.h5\nb.h5\n');
});

describe('a pass', () => {
  it('gives every item once, transformed, with a shorter last batch', async () => {
    const feed = await openFeed(idxLayer(2), options());
    expect(feed.shapes).toEqual([[2, 1, 2, 3], [2]]);
    expect(feed.count).toBe(5);
    const batches = await passOf(feed);
    expect(batches.map(({ items }) => items)).toEqual([[0, 1], [2, 3], [4]]);
    expect(batches[2].tops).toEqual([
      { shape: [1, 1, 2, 3], data: Float32Array.from([20, 20.5, 21, 21.5, 22, 22.5]) },
      { shape: [1], data: Float32Array.of(16) },
    ]);
  });

  it('reads compressed idx files, and leaves labels out when the layer has one top', async () => {
    const feed = await openFeed(
      { ...idxLayer(5), top: ['data'] },
      options({ source: 'zipped-images-idx3-ubyte.gz' }),
    );
    const [{ tops }] = await passOf(feed);
    expect(tops).toHaveLength(1);
    expect(tops[0].data[29]).toBe(22.5);
  });

  it('reads raw, float and encoded datums of an LMDB database', async () => {
    const layer = layerOf('Data', {
      data_param: { source: fixture('datums.lmdb'), batch_size: 1, backend: 'LMDB' },
    });
    const batches = await passOf(await openFeed(layer, options()));
    const png = decodeImage(new Uint8Array(readFileSync(fixture('images/rgb.png'))), 'color', 'x');
    expect(batches.map(({ tops }) => [...tops[0].shape, ...tops[1].data])).toEqual([
      [1, 3, 19, 33, 1],
      [1, 3, 19, 33, 2],
      [1, 1, 19, 33, 3],
      [1, 2, 3, 4, 300],
      [1, 2, 3, 4, 7],
    ]);
    expect(batches[1].tops[0].data).toEqual(Float32Array.from(png.data));
    expect(batches[3].tops[0].data).toEqual(Float32Array.from({ length: 24 }, (_, i) => i));
    expect(batches[4].tops[0].data).toEqual(Float32Array.from({ length: 24 }, (_, i) => i / 4));
  });

  it('forces encoded images to colour or gray', async () => {
    for (const [force, channels] of [
      ['force_color', 3],
      ['force_gray', 1],
    ] as const) {
      const layer = layerOf('Data', {
        data_param: { source: fixture('datums.lmdb'), batch_size: 3 },
        transform_param: { [force]: true },
      });
      const feed = await openFeed(layer, options());
      const first = await feed.pass().next();
      expect(first.value?.tops[0].shape).toEqual([3, channels, 19, 33]);
      await feed.close();
    }
  });

  it('reads the images of a list, resized, and finds those items again', async () => {
    const layer = layerOf('ImageData', {
      image_data_param: { source: 'list.txt', batch_size: 4, new_height: 8, new_width: 9, is_color: false },
    });
    const [{ tops }] = await passOf(await openFeed(layer, options()));
    expect(tops[0].shape).toEqual([4, 1, 8, 9]);
    expect([...tops[1].data]).toEqual([5, 6, 7, 8]);
    const items = await pick(await openItemSource(layer, options()), [1, 3]);
    expect(items.map(({ label }) => label)).toEqual([6, 8]);
    expect(Float32Array.from(items[1].pixels.data)).toEqual(tops[0].data.subarray(3 * 72));
  });

  it('reads HDF5 files one after the other, integers as numbers', async () => {
    const layer = layerOf('HDF5Data', { hdf5_data_param: { source: 'h5.txt', batch_size: 5 } });
    const feed = await openFeed(layer, options());
    expect(feed.count).toBe(7);
    const batches = await passOf(feed);
    expect(batches.map(({ tops }) => [...tops[1].data])).toEqual([
      [0, 1, 2, 3, 4],
      [5, 6],
    ]);
    expect(batches[1].tops[0]).toEqual({ shape: [2, 2], data: Float32Array.of(10, 11, 12, 13) });
  });
});

describe('an endless run', () => {
  it('goes on with the first item after the last, within a batch', async () => {
    const feed = await openFeed(idxLayer(3), options());
    const items = [];
    for (let i = 0; i < 4; i++) items.push((await feed.next()).items);
    expect(items).toEqual([
      [0, 1, 2],
      [3, 4, 0],
      [1, 2, 3],
      [4, 0, 1],
    ]);
    await feed.close();
  });

  const orderOf = async (layer: LayerParameter, seed: number, batches: number) => {
    const feed = await openFeed(layer, options({ seed, phase: 'TRAIN' }));
    const items: number[] = [];
    for (let i = 0; i < batches; i++) items.push(...(await feed.next()).items);
    await feed.close();
    return items;
  };
  const sorted = (items: number[]) => items.toSorted((a, b) => a - b);

  it('shuffles a list anew each epoch, as the seed says', async () => {
    const layer = layerOf('ImageData', {
      image_data_param: { source: 'list.txt', batch_size: 4, shuffle: true, new_height: 4, new_width: 4 },
    });
    const order = await orderOf(layer, 7, 6);
    for (let epoch = 0; epoch < 6; epoch++)
      expect(sorted(order.slice(4 * epoch, 4 * epoch + 4))).toEqual([0, 1, 2, 3]);
    expect(await orderOf(layer, 7, 6)).toEqual(order);
    expect(await orderOf(layer, 8, 6)).not.toEqual(order);
    expect(order.slice(0, 8)).not.toEqual([...order.slice(0, 4), ...order.slice(0, 4)]);
  });

  it('shuffles HDF5 rows within their file and the files among each other', async () => {
    const layer = layerOf('HDF5Data', {
      hdf5_data_param: { source: 'h5.txt', batch_size: 7, shuffle: true },
    });
    const epochs = Array.from({ length: 8 }, (_, seed) => orderOf(layer, seed, 1));
    const firstFiles = new Set<boolean>();
    for (const order of await Promise.all(epochs)) {
      expect(sorted(order)).toEqual([0, 1, 2, 3, 4, 5, 6]);
      const first = order[0] < 3;
      firstFiles.add(first);
      expect(sorted(order.slice(0, first ? 3 : 4))).toEqual(first ? [0, 1, 2] : [3, 4, 5, 6]);
    }
    expect(firstFiles.size).toBe(2);
  });

  it('begins where rand_skip says and skips once only', async () => {
    const layer = idxLayer(5);
    layer.data_param!.rand_skip = 5;
    const starts = new Set<number>();
    for (let seed = 0; seed < 20; seed++) {
      const items = await orderOf(layer, seed, 2);
      starts.add(items[0]);
      expect(items.slice(5 - items[0], 10 - items[0])).toEqual([0, 1, 2, 3, 4]);
    }
    expect(starts.size).toBeGreaterThan(2);
  });

  const skipped: [string, LayerParameter][] = [
    [
      'images in order, mirrored and cropped',
      {
        ...idxLayer(4),
        transform_param: { mirror: true, crop_size: 2 },
      },
    ],
    [
      'images from rand_skip on',
      layerOf('Data', {
        data_param: { source: 'five-images-idx3-ubyte', batch_size: 3, rand_skip: 5 },
      }),
    ],
    [
      'a shuffled list, cropped',
      layerOf('ImageData', {
        image_data_param: { source: 'list.txt', batch_size: 3, shuffle: true, new_height: 4, new_width: 4 },
        transform_param: { crop_size: 3 },
      }),
    ],
    [
      'shuffled rows of HDF5 files',
      layerOf('HDF5Data', {
        hdf5_data_param: { source: 'h5.txt', batch_size: 3, shuffle: true },
      }),
    ],
  ];
  it.each(skipped)('that is skipped into goes on as if it had been asked for: %s', async (_, layer) => {
    const runFrom = async (skip: number) => {
      const feed = await openFeed(layer, options({ seed: 7, phase: 'TRAIN' }));
      feed.skip(skip);
      const batches: Batch[] = [];
      for (let i = skip; i < 12; i++) batches.push(await feed.next());
      await feed.close();
      return batches;
    };
    const whole = await runFrom(0);
    for (const skip of [1, 2, 5, 9]) expect(await runFrom(skip)).toEqual(whole.slice(skip));
  });
});

describe('openFeed refuses', () => {
  const data = (source: string, batch_size = 1) => layerOf('Data', { data_param: { source, batch_size } });
  it.each<[string, LayerParameter, string]>([
    ['WindowData', layerOf('WindowData', {}), 'WindowData reads no data that can be fed'],
    ['a layer without a source', layerOf('Data', { data_param: { batch_size: 1 } }), 'names no source'],
    [
      'data that is nowhere',
      data('examples/mnist/nowhere_lmdb'),
      'Cannot find the data "examples/mnist/nowhere_lmdb"',
    ],
    ['a batch of nothing', data('five-images-idx3-ubyte', 0), 'batch_size must be at least 1'],
    ['a folder that is no database', data('.'), 'neither an LMDB database'],
    ['a file of no known kind', data('rgb.png'), 'no images of a known kind'],
    ['an empty database', data(fixture('empty.lmdb')), 'has no items'],
    [
      'images of different sizes in a batch',
      data(fixture('datums.lmdb'), 5),
      'does not fit a batch of 3x19x33',
    ],
    [
      'a dataset that is not there',
      layerOf('HDF5Data', { top: ['image'], hdf5_data_param: { source: 'a.h5', batch_size: 1 } }),
      'the file has data, label',
    ],
    [
      'new_height without new_width',
      layerOf('ImageData', { image_data_param: { source: 'list.txt', new_height: 3 } }),
      'must be set together',
    ],
    [
      'a transformation of HDF5',
      layerOf('HDF5Data', {
        transform_param: { scale: 2 },
        hdf5_data_param: { source: 'a.h5', batch_size: 1 },
      }),
      'does not transform',
    ],
  ])('%s', async (_, layer, message) => {
    const error = await openFeed(layer, options())
      .then(passOf, (e: unknown) => e)
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CaffeError);
    expect((error as CaffeError).message).toContain(message);
  });
});

describe('locate', () => {
  it('looks from the prototxt upwards, in the workspace, and beside the prototxt at last', async () => {
    await mkdir(join(folder, 'caffe/examples/mnist'), { recursive: true });
    await mkdir(join(folder, 'caffe/data'), { recursive: true });
    await mkdir(join(folder, 'workspace/other'), { recursive: true });
    await mkdir(join(folder, 'caffe/examples/mnist/copied_lmdb'), { recursive: true });
    const folders = searchFolders(join(folder, 'caffe/examples/mnist/net.prototxt'), [
      join(folder, 'workspace'),
    ]);
    const found = async (path: string) =>
      (await locate(path, folders, phrase`the data`)).slice(folder.length + 1);
    expect(await found('examples/mnist')).toBe('caffe/examples/mnist');
    expect(await found('data')).toBe('caffe/data');
    expect(await found('other')).toBe('workspace/other');
    expect(await found('some/where/copied_lmdb')).toBe('caffe/examples/mnist/copied_lmdb');
    expect(await found('/home/somebody/copied_lmdb')).toBe('caffe/examples/mnist/copied_lmdb');
    expect(await described(found('nothing'))).toContain(join(folder, 'workspace/nothing'));
  });
});
