import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LayerParameter } from '../../../src/caffe/messages';
import { writeBinaryproto } from '../../../src/caffe/binaryproto';
import { classify, type ClassifyParams } from '../../../src/jobs/classify';
import { evaluate } from '../../../src/jobs/evaluate';
import { thumbnails } from '../../../src/jobs/thumbnails';
import { ReferenceEngine } from '../../../src/tensor/reference';
import { png } from '../../png';
import { CLASSES, layer, runJob, tinyData, tinyNet, trainTiny } from './tinyNet';

const { folder, images, netFile } = tinyData(40);
const model = join(folder, 'tiny.caffemodel');
beforeAll(() => trainTiny(netFile, model));
afterAll(() => rmSync(folder, { recursive: true }));

const context = () => ({ engine: new ReferenceEngine(), signal: new AbortController().signal });
const pixelsOf = (item: number) => readFileSync(images).subarray(16 + 36 * item, 16 + 36 * (item + 1));

const deployNet = {
  layer: [
    layer('Input', 'data', [], ['data'], { input_param: { shape: [{ dim: [10, 1, 6, 6] }] } }),
    ...tinyNet(1).layer.slice(1, -2),
    layer('Softmax', 'prob', ['ip2'], ['prob']),
  ],
};
/** The deploy net's transformation is in the data layer of this one. */
const trainVal = join(folder, 'train_val.prototxt');
writeFileSync(
  trainVal,
  'layer { name: "data" type: "Data" top: "data" top: "label" transform_param { scale: 0.01 } }',
);

const image = (item: number) => ({ name: `${item}.png`, bytes: png(6, 6, pixelsOf(item)) });
const params = (more: Partial<ClassifyParams> = {}): ClassifyParams => ({
  model,
  netFile,
  net: deployNet,
  image: image(0),
  trainVal,
  ...more,
});

describe('classify', () => {
  it('says of each image what the evaluation of the train_val net says', async () => {
    const { result } = await runJob(evaluate({ netFile, net: tinyNet(10), models: [model] }, context()));
    const wrong = new Map(result.evaluations[0].wrong.map(({ item, predicted }) => [item, predicted]));
    const labels = readFileSync(images.replace('images', 'labels').replace('idx3', 'idx1')).subarray(8);
    for (let item = 0; item < 40; item++) {
      const { guesses, blob } = await classify(params({ image: image(item) }), context());
      expect(blob).toBe('prob');
      expect(guesses[0].index).toBe(wrong.get(item) ?? labels[item]);
      expect(guesses).toHaveLength(CLASSES);
      expect(guesses.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 5);
    }
  });

  it('takes a train_val net as well, the image by its path, and names of classes from beside the net', async () => {
    const path = join(folder, 'five.png');
    writeFileSync(path, image(5).bytes);
    writeFileSync(
      join(folder, 'labels.txt'),
      ['n01440764 tench, Tinca tinca', 'two words', 'c', 'd', 'e', 'f', 'g'].join('\n'),
    );
    const deploy = await classify(params({ image: path }), context());
    const trainVal = await classify(params({ image: path, net: tinyNet(30) }), context());
    expect(trainVal.blob).toBe('softmax(ip2)');
    expect(trainVal.guesses.map(({ index }) => index)).toEqual(deploy.guesses.map(({ index }) => index));
    for (const [i, { score }] of trainVal.guesses.entries())
      expect(score).toBeCloseTo(deploy.guesses[i].score, 6);
    const names = new Map(deploy.guesses.map(({ index, label }) => [index, label]));
    expect([names.get(0), names.get(1)]).toEqual(['tench, Tinca tinca', 'two words']);
    rmSync(join(folder, 'labels.txt'));
  });

  it('brings the image to the size of the mean image, and takes its centre', async () => {
    const mean = new Float32Array(100).fill(20);
    await writeBinaryproto(join(folder, 'mean.binaryproto'), { shape: [1, 1, 10, 10], data: mean });
    const large = new Uint8Array(100).fill(50);
    for (let y = 0; y < 6; y++) large.set(pixelsOf(3).subarray(6 * y, 6 * y + 6), (y + 2) * 10 + 2);
    const transform = { mean_file: 'mean.binaryproto', scale: 0.01 };
    const { guesses } = await classify(
      params({ image: { name: 'large.png', bytes: png(10, 10, large) }, transform }),
      context(),
    );
    const { guesses: small } = await classify(
      params({ image: image(3), transform: { mean_value: [20], scale: 0.01 } }),
      context(),
    );
    expect(guesses).toEqual(small);
  });

  it.each<[string, Partial<ClassifyParams>, string]>([
    [
      'bytes that are no image',
      { image: { name: 'x.gif', bytes: new TextEncoder().encode('GIF89a') } },
      'neither a JPEG nor a PNG',
    ],
    ['a path that is not there', { image: 'nowhere.png' }, 'cannot be read (ENOENT)'],
    ['a net without classes', { net: { layer: deployNet.layer.slice(0, 2) } }, 'no score for each class'],
    ['names that are not there', { labels: 'nowhere.txt' }, 'cannot be read (ENOENT)'],
  ])('refuses %s', async (_, more, message) => {
    await expect(classify(params(more), context())).rejects.toThrow(message);
  });
});

describe('thumbnails', () => {
  it('shows items as they are in the data', async () => {
    const [first, second] = await thumbnails({ netFile, net: tinyNet(1) }, [3, 39]);
    expect([first.item, second.item, second.width, second.height]).toEqual([3, 39, 6, 6]);
    const gray = [...pixelsOf(39)];
    expect([...second.rgba]).toEqual(gray.flatMap((value) => [value, value, value, 255]));
  });

  it('shows colours as they are, whatever the order of their planes', async () => {
    const coloured = join(folder, 'coloured');
    mkdirSync(coloured);
    const record = Buffer.alloc(3073, 0);
    record.fill(200, 1, 1025);
    writeFileSync(join(coloured, 'red.bin'), record);
    writeFileSync(join(coloured, 'red.png'), png(1, 1, Uint8Array.of(200, 0, 0), 3));
    writeFileSync(join(coloured, 'list.txt'), `${join(coloured, 'red.png')} 0\n`);
    const firstOf = async (type: string, params: Partial<LayerParameter>) => {
      const net = { layer: [layer(type, 'data', [], ['data', 'label'], params)] };
      const [{ width, height, rgba }] = await thumbnails({ netFile, net }, [0]);
      return [width, height, ...rgba.subarray(0, 4)];
    };
    // CIFAR's planes are red, green, blue; Caffe holds what it reads of pictures as blue, green, red.
    const cifar = { data_param: { source: 'coloured/red.bin', batch_size: 1 } };
    expect(await firstOf('Data', cifar)).toEqual([32, 32, 200, 0, 0, 255]);
    const pictures = { image_data_param: { source: 'coloured/list.txt', batch_size: 1 } };
    expect(await firstOf('ImageData', pictures)).toEqual([1, 1, 200, 0, 0, 255]);
  });
});
