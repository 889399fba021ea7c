import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestNet } from '../../src/jobs/testNet';
import { ReferenceEngine } from '../../src/tensor/reference';
import { modelBytes } from '../unit/jobs/tinyNet';
import { caffeTest, hasCaffe, runCaffe } from './realCaffe';

const folder = mkdtempSync(join(tmpdir(), 'interop-data-'));
const engine = new ReferenceEngine();
const { signal } = new AbortController();
afterAll(() => rmSync(folder, { recursive: true }));

const images = ['rgb.jpg', '420.jpg', 'progressive.jpg', 'gray.jpg', 'rgb.png', 'palette.png'];
const size = ['-resize_height', '24', '-resize_width', '20'];
const dataOf = (source: string, backend: string, more = '') =>
  `layer { name: "data" type: "Data" top: "data" top: "label" ${more}
    data_param { source: "${source}" batch_size: ${images.length} backend: ${backend.toUpperCase()} } }`;

describe.skipIf(!hasCaffe)('data as the real Caffe reads them', () => {
  beforeAll(() => {
    cpSync(new URL('../fixtures/data/images', import.meta.url).pathname, folder, { recursive: true });
    writeFileSync(join(folder, 'list.txt'), images.map((name, i) => `${name} ${i}\n`).join(''));
    // `caffe test` wants weights; those of a layer that is not in the net it passes over.
    writeFileSync(
      join(folder, 'none.caffemodel'),
      modelBytes([{ name: 'none', type: 'Silence', blobs: [] }]),
    );
  });

  /** The net's data are its outputs: both programs must see the same numbers. */
  async function expectSame(name: string, net: string, precision = 3): Promise<void> {
    const netFile = join(folder, `${name}.prototxt`);
    writeFileSync(netFile, net);
    const theirs = caffeTest(folder, netFile, 'none.caffemodel').values;
    const ours = await TestNet.open({ netFile }, { engine });
    try {
      expect((await ours.batches(signal).next()).done).toBe(false);
      for (const top of ['data', 'label']) {
        const values = ours.net.blob(top).data;
        expect(theirs[top]).toHaveLength(values.length);
        values.forEach((value, i) => expect(theirs[top][i], `${top} ${i}`).toBeCloseTo(value, precision));
      }
    } finally {
      await ours.dispose();
    }
  }

  describe.each(['lmdb', 'leveldb'])('%s', (backend) => {
    test.each(['', 'png', 'jpg'])('made by convert_imageset %s', async (encoding) => {
      const name = `${backend}-${encoding || 'raw'}`;
      const encoded = encoding === '' ? [] : ['-encoded', '-encode_type', encoding];
      runCaffe(folder, 'convert_imageset', ...size, ...encoded, '-backend', backend, './', 'list.txt', name);
      await expectSame(name, dataOf(name, backend));
    });

    test('less the mean that compute_image_mean finds', async () => {
      const mean = `${backend}.binaryproto`;
      const database = `${backend}-raw`;
      runCaffe(folder, 'compute_image_mean', '-backend', backend, database, mean);
      const transform = `transform_param { mean_file: "${mean}" scale: 0.5 crop_size: 16 }`;
      await expectSame(`${backend}-mean`, dataOf(database, backend, transform));
    });

    test('of floats that extract_features writes', async () => {
      const name = `${backend}-features`;
      const net = `${dataOf(`${backend}-raw`, backend)} layer { name: "half" type: "Power" bottom: "data" top: "half"
        power_param { scale: 0.3 shift: -7 } }`;
      writeFileSync(join(folder, `${name}-net.prototxt`), net);
      runCaffe(
        folder,
        'extract_features',
        'none.caffemodel',
        `${name}-net.prototxt`,
        'half',
        name,
        '1',
        backend,
      );
      await expectSame(name, dataOf(name, backend));
    });
  });

  test('a list of pictures', () =>
    expectSame(
      'list',
      `layer { name: "data" type: "ImageData" top: "data" top: "label" transform_param { mean_value: 104 mean_value: 117 mean_value: 123 }
        image_data_param { source: "list.txt" batch_size: ${images.length} new_height: 24 new_width: 20 } }`,
    ));
});
