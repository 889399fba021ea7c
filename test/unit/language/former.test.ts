import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PlainMessage } from '../../../src/caffe/prototxt/values';
import { Analysis, Former, phases } from '../../../src/language/analysis';
import { brokenEditOf } from '../../support/brokenText';
import { prototxtsBelow } from '../../support/prototxts';

/** All that features ask of an analysis. */
const told = (analysis: Analysis) => {
  const problems = analysis.problems();
  const read = analysis.read();
  return {
    problems,
    read: read && ('net' in read ? read : read.message),
    shapes: phases.map((phase) => {
      const net = analysis.shapes(phase);
      const layers = net?.layers.map(({ layer, bottoms, tops, params, macs }) => ({
        ...{ layer, bottoms, tops, params, macs },
      }));
      return net && { ...net, layers, errors: net.errors.map((error) => `${error.line} ${error.message}`) };
    }),
  };
};

const lenet = readFileSync('src/sample/lenet/train_val.prototxt', 'utf8');
const old = `input: "data" input_shape { dim: 1 dim: 3 dim: 8 dim: 8 }
layers { name: "conv" type: CONVOLUTION bottom: "data" top: "conv" convolution_param { num_output: 2 kernel_size: 3 } }
layers { name: "relu" type: RELU bottom: "conv" top: "conv" }
`;
const normalized = `layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 dim: 4 dim: 4 } } }
layer { name: "bn" type: "BatchNorm" bottom: "x" top: "x" param {} param {} param {} }
layer { name: "bn" type: "BatchNorm" bottom: "x" top: "x" param {} param {} param {} }
layer { type: "ReLU" bottom: "x" top: "x" } layer { type: "ReLU" bottom: "x" top: "x" }
`;
const golden = prototxtsBelow('test/fixtures/golden').slice(0, 6);

describe('what a version leaves for the next changes nothing of what is told', () => {
  test.each([
    ['LeNet', lenet],
    ['the syntax of 2014', old],
    ['statistics that are frozen, and layers that are alike', normalized],
    ...golden.map(({ path, text }) => [path, text]),
  ])('%s', (_what, text) => {
    fc.assert(
      fc.property(fc.array(brokenEditOf(text), { minLength: 1, maxLength: 4 }), (versions) => {
        const former = new Former();
        for (const version of [text, ...versions, text])
          expect(told(new Analysis(version, undefined, former))).toEqual(told(new Analysis(version)));
      }),
      { numRuns: 15 },
    );
  });
});

test('layers that did not change are the same objects', () => {
  const former = new Former();
  const layersOf = (text: string) => {
    const read = new Analysis(text, undefined, former).read();
    return read && 'net' in read ? read.net.layer : [];
  };
  const before = layersOf(lenet);
  const after = layersOf(lenet.replace('num_output: 500', 'num_output: 400'));
  const changed = after.filter((layer, index) => layer !== before[index]);
  expect(changed.map(({ name }) => name)).toEqual(['ip1']);
  const ip1 = changed[0].inner_product_param as unknown as PlainMessage;
  expect(ip1.num_output).toBe(400);
  // Below a new line the layers have other lines.
  expect(layersOf(`\n${lenet}`).map(({ line }) => line)).toEqual(before.map(({ line }) => line! + 1));
});
