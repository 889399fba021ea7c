import { expect, test } from 'vitest';
import type { Model } from '../../../src/caffe/model';
import { Analysis } from '../../../src/language/analysis';
import { histogramSvg, svgUri } from '../../../src/language/histogramPicture';
import { bytes, compact, percent } from '../../../src/language/numbers';
import { layerWeights } from '../../../src/language/weights';

test.each([
  [0, '0'],
  [999, '999'],
  [1000, '1 k'],
  [430_500, '431 k'],
  [999_900, '1 M'],
  [2_290_000, '2.29 M'],
  [NaN, '?'],
])('compact(%d) is %s', (count, text) => expect(compact(count)).toBe(text));

test.each([
  [100, '100 B'],
  [1536, '1.5 KB'],
  [3 * 1024 ** 3, '3 GB'],
])('bytes(%d) is %s', (count, text) => expect(bytes(count)).toBe(text));

test('percent has three digits', () => expect(percent(0.00418)).toBe('0.418 %'));

test('the picture of a histogram has a bar for each bin with values, and its range', () => {
  const svg = histogramSvg({ min: -1, max: 1, counts: Uint32Array.of(1, 0, 5, 1) });
  expect(svg.match(/<rect/g)).toHaveLength(3);
  expect(svg).toContain('>-1</text>');
  expect(Buffer.from(svgUri(svg).split(',')[1], 'base64').toString()).toBe(svg);
});

const deploy = `
layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 dim: 4 dim: 4 } } }
layer { name: "conv" type: "Convolution" bottom: "x" top: "y" convolution_param { num_output: 3 kernel_size: 3 } }
layer { name: "bn" type: "BatchNorm" bottom: "y" top: "y" }
`;

test('weights come from the shapes of the net', () => {
  const weights = layerWeights(new Analysis(deploy));
  expect(weights.map(({ layer, parameters, prunable }) => [layer.name, parameters, prunable])).toEqual([
    ['conv', 57, 54],
    ['bn', 7, 0],
  ]);
});

test('where a data source feeds the net, weights come from the model', () => {
  const train = deploy.replace(/layer \{ name: "in".*/, 'layer { name: "in" type: "Data" top: "x" }');
  const blobs = [
    { index: 0, shape: [3, 2, 3, 3] },
    { index: 1, shape: [3] },
  ];
  const model = { layers: [{ name: 'conv', type: 'Convolution', blobs }] } as unknown as Model;
  expect(layerWeights(new Analysis(train)).map(({ layer }) => layer.name)).toEqual(['bn']);
  expect(layerWeights(new Analysis(train), model)[0]).toMatchObject({ parameters: 57, prunable: 54 });
});

test('an analysis finds the layer at a place, and its shapes by phase', () => {
  const analysis = new Analysis(deploy);
  const layer = analysis.layerAt(deploy.indexOf('num_output'))!;
  expect(layer.name).toBe('conv');
  expect(analysis.shapesOf(layer).map(({ phase, inferred }) => [phase, inferred.tops[0].shape])).toEqual([
    ['TRAIN', [1, 3, 2, 2]],
    ['TEST', [1, 3, 2, 2]],
  ]);
  expect(analysis.layerAt(0)).toBeUndefined();
  expect(new Analysis('net: "a.prototxt" base_lr: 0.1').shapes('TRAIN')).toBeUndefined();
});
