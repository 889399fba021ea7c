import { expect, test } from 'vitest';
import { isPruned, modelName } from '../../../src/caffe/modelName';

test.each([
  ['lenet.caffemodel', 'lenet', 0, '.caffemodel'],
  ['lenet.pruned.caffemodel', 'lenet', 1, '.caffemodel'],
  ['/a.pruned/lenet.pruned-2.caffemodel.h5', '/a.pruned/lenet', 2, '.caffemodel.h5'],
  ['Lenet.PRUNED.CaffeModel', 'Lenet', 1, '.CaffeModel'],
  ['a.pruned.b.caffemodel', 'a.pruned.b', 0, '.caffemodel'],
  ['a.pruned.pruned-3.caffemodel', 'a.pruned', 3, '.caffemodel'],
  ['lenet.pruned', 'lenet', 1, ''],
  ['weights.bin', 'weights.bin', 0, ''],
])('%s is %s, pruned %i times, with %j', (name, stem, pruned, extension) => {
  expect(modelName(name)).toEqual({ stem, pruned, extension });
  expect(isPruned(name)).toBe(pruned > 0);
});
