import { expect, test } from 'vitest';
import type { Model } from '../../../src/caffe/model';
import { readHints } from '../../../src/caffe/prototxt/hints';
import { parsePrototxt } from '../../../src/caffe/prototxt/parser';
import { choicesOfHints, ruleOfHint } from '../../../src/sparsity/hintChoices';

test.each([
  [{ keep: 0.1 }, { method: 'keep', keep: 0.1 }],
  [
    { keep: 0.1, method: 'filters' },
    { method: 'filters', keep: 0.1 },
  ],
  [
    { keep: 0.1, method: 'global' },
    { method: 'global', keep: 0.1 },
  ],
  [{ threshold: 0.02 }, { method: 'threshold', threshold: 0.02 }],
  [{ std: 1.5 }, { method: 'std', factor: 1.5 }],
  [{ method: '2:4' }, { method: 'n:m', n: 2, m: 4 }],
  [{ skip: true as const, keep: 0.1 }, undefined],
  [{ bits: 5 }, undefined],
])('ruleOfHint(%j)', (hint, rule) => expect(ruleOfHint(hint)).toEqual(rule));

test('the choices of a file: a layer’s hint before the default, weights alone, skipped layers not at all', () => {
  const hints = readHints(
    parsePrototxt(`
# prune: default keep=10%
layer { name: "conv" type: "Convolution" }
layer {
  name: "ip1"
  # prune: threshold=0.5
}
layer {
  name: "ip2"
  # prune: skip
}
`),
  );
  const layer = (name: string, type: string) => ({
    name,
    type,
    blobs: [
      { index: 0, count: 6, shape: [2, 3] },
      { index: 1, count: 2, shape: [2] },
    ],
  });
  const model = {
    layers: [
      layer('conv', 'Convolution'),
      layer('scale', 'Scale'),
      layer('ip1', 'InnerProduct'),
      layer('ip2', 'InnerProduct'),
    ],
  } as unknown as Model;
  expect(choicesOfHints(model, hints)).toEqual([
    { layer: 'conv', blob: 0, method: 'keep', keep: 0.1 },
    { layer: 'ip1', blob: 0, method: 'threshold', threshold: 0.5 },
  ]);
});
