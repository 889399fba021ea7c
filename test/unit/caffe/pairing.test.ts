import { describe, expect, test } from 'vitest';
import type { ModelLayer } from '../../../src/caffe/model';
import { fitOf, likeness, rankPairs, type Fit } from '../../../src/caffe/pairing';

const layer = (name: string, ...shapes: number[][]): ModelLayer =>
  ({ name, blobs: shapes.map((shape) => ({ shape })) }) as unknown as ModelLayer;
const fit = (score: number): Fit => ({ matched: [], lacking: [], mismatches: [], score });

describe('fitOf', () => {
  const model = {
    layers: [layer('data'), layer('conv', [20, 1, 5, 5], [1, 1, 1, 20]), layer('ip', [1, 1, 10, 80])],
  };

  test('takes layers by name, and shapes of 2014 for those of today', () => {
    const net = [
      { name: 'conv', shapes: [[20, 1, 5, 5], [20]] },
      { name: 'ip', shapes: [[10, 80]] },
    ];
    expect(fitOf(net, model)).toEqual({ matched: ['conv', 'ip'], lacking: [], mismatches: [], score: 1 });
  });

  test('tells which blob has another shape, and which layer is not there', () => {
    const net = [
      { name: 'conv', shapes: [[20, 1, 5, 5], [20]] },
      { name: 'ip', shapes: [[10, 81], [10]] },
      { name: 'data', shapes: [[3]] },
      { name: 'fc8' },
    ];
    expect(fitOf(net, model)).toEqual({
      matched: ['conv'],
      lacking: ['data', 'fc8'],
      mismatches: [
        { layer: 'ip', blob: 0, wanted: [10, 81], found: [1, 1, 10, 80] },
        { layer: 'ip', blob: 1, wanted: [10], found: undefined },
      ],
      score: 0.25,
    });
  });

  test('asks for no shapes that the net does not tell', () => {
    expect(fitOf([{ name: 'ip' }], model).score).toBe(1);
  });
});

test.each([
  ['lenet_train_test.prototxt', 'lenet_iter_10000.caffemodel', 1 / 2],
  ['deploy.prototxt', 'lenet.caffemodel', 0],
  ['det1.prototxt', 'det1.caffemodel', 1],
])('likeness(%s, %s)', (net, model, expected) => expect(likeness(net, model)).toBeCloseTo(expected));

test('rankPairs prefers what fits, then snapshots, then names, and the latest of them', () => {
  const candidates = [
    { fileName: 'other.caffemodel', fit: fit(0.4), isSnapshot: false },
    { fileName: 'lenet.pruned.caffemodel', fit: fit(1), isSnapshot: false },
    { fileName: 'lenet.caffemodel', fit: fit(1), isSnapshot: false },
    { fileName: 'lenet_iter_500.caffemodel', fit: fit(1), isSnapshot: true },
    { fileName: 'lenet_iter_1000.caffemodel', fit: fit(1), isSnapshot: true },
    { fileName: 'half.caffemodel', fit: fit(0.5), isSnapshot: false },
  ];
  expect(rankPairs('lenet.prototxt', candidates).map(({ fileName }) => fileName)).toEqual([
    'lenet_iter_1000.caffemodel',
    'lenet_iter_500.caffemodel',
    'lenet.caffemodel',
    'lenet.pruned.caffemodel',
    'half.caffemodel',
  ]);
});

test('rankPairs takes no checkpoint of a retraining, which goes when that ends', () => {
  const candidates = [
    'lenet.caffemodel',
    'lenet.caffemodel.retraining_iter_20.caffemodel',
    'lenet.caffemodel.retraining_iter_20.progress.caffemodel',
    'lenet.caffemodel.h5.retraining_iter_20.caffemodel.h5',
  ].map((fileName) => ({ fileName, fit: fit(1), isSnapshot: false }));
  expect(rankPairs('train_val.prototxt', candidates).map(({ fileName }) => fileName)).toEqual([
    'lenet.caffemodel',
  ]);
});

test('rankPairs prefers what is not pruned', () => {
  const candidates = ['a.pruned-2.caffemodel', 'b.caffemodel'].map((fileName) => ({
    fileName,
    fit: fit(1),
    isSnapshot: false,
  }));
  expect(rankPairs('deploy.prototxt', candidates)[0].fileName).toBe('b.caffemodel');
});
