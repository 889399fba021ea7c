import { expect, test } from 'vitest';
import { Analysis } from '../../../src/language/analysis';
import { familyOf, graphOf } from '../../../src/language/graphNet';
import { pathThrough, place } from '../../../webview/graph/layout';
import { strengths } from '../../../webview/graph/tint';

const net = `
name: "two ways"
layer { name: "in" type: "Input" top: "x" input_param { shape { dim: 1 dim: 2 dim: 4 dim: 4 } } }
layer { name: "conv" type: "Convolution" bottom: "x" top: "y" convolution_param { num_output: 3 kernel_size: 3 } }
layer { name: "relu" type: "ReLU" bottom: "y" top: "y" }
layer { name: "side" type: "Convolution" bottom: "x" top: "z" convolution_param { num_output: 3 kernel_size: 3 } }
layer { name: "sum" type: "Eltwise" bottom: "y" bottom: "z" top: "out" }
layer { name: "test only" type: "Softmax" bottom: "out" top: "p" include { phase: TEST } }
`;
const graph = (phase: 'TRAIN' | 'TEST') => {
  const analysis = new Analysis(net);
  return graphOf('two ways', phase, analysis.shapes(phase)!);
};

test('a layer in place stands in the box of the layer whose top it overwrites', () => {
  const { nodes, edges } = graph('TEST');
  expect(nodes.map(({ layers }) => layers.map(({ name }) => name))).toEqual([
    ['in'],
    ['conv', 'relu'],
    ['side'],
    ['sum'],
    ['test only'],
  ]);
  expect(edges.map(({ from, to, blob, shape }) => [from, to, blob, shape])).toEqual([
    [0, 1, 'x', [1, 2, 4, 4]],
    [0, 2, 'x', [1, 2, 4, 4]],
    [1, 3, 'y', [1, 3, 2, 2]],
    [2, 3, 'z', [1, 3, 2, 2]],
    [3, 4, 'out', [1, 3, 2, 2]],
  ]);
  // 3 filters of 2×3×3 and 3 biases; over 2×2 places.
  expect(nodes[1].layers[0]).toMatchObject({ parameters: 57, macs: 216, family: 'weights' });
});

test('a phase leaves out the layers of the other', () => {
  expect(graph('TRAIN').nodes).toHaveLength(4);
});

test.each([
  ['SoftmaxWithLoss', 'loss'],
  ['Accuracy', 'loss'],
  ['BatchNorm', 'normalization'],
  ['InnerProduct', 'weights'],
  ['ImageData', 'data'],
  ['NobodyKnows', 'other'],
])('%s belongs to %s', (type, family) => expect(familyOf(type)).toBe(family));

test('boxes lie below those that feed them, and do not overlap', () => {
  const drawn = graph('TEST');
  const { nodes, edges } = place(drawn);
  for (const { edge } of edges) {
    const { y, height } = nodes[edge.from];
    expect(nodes[edge.to].y).toBeGreaterThanOrEqual(y + height);
  }
  const [left, right] = [nodes[1], nodes[2]].sort((a, b) => a.x - b.x);
  expect(left.x + left.width).toBeLessThanOrEqual(right.x);
});

test('a path begins and ends at its ends', () => {
  const path = pathThrough([
    { x: 0, y: 0 },
    { x: 10, y: 10 },
    { x: 0, y: 20 },
  ]);
  expect(path).toBe('M0 0Q10 10 5 15L0 20');
});

test('the strongest tint is that of the most parameters, or of the share of zeros', () => {
  const drawn = graph('TEST');
  expect(strengths(drawn, 'parameters', new Map()).get(1)).toBe(1);
  expect(strengths(drawn, 'parameters', new Map()).get(0)).toBeUndefined();
  expect(strengths(drawn, 'zeros', new Map([['side', 0.25]])).get(2)).toBe(0.25);
});
