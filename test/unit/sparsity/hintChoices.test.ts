import { describe, expect, test } from 'vitest';
import type { Model } from '../../../src/caffe/model';
import { type HintsOfFile, type PruneHint, readHints } from '../../../src/caffe/prototxt/hints';
import { parsePrototxt } from '../../../src/caffe/prototxt/parser';
import { choicesOfHints, hintsToWrite, ruleOfHint } from '../../../src/sparsity/hintChoices';

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

describe('what to write so that a file asks for hints', () => {
  const none = { default: {}, layers: new Map() };
  const byDefault = { default: { keep: 0.1 }, layers: new Map([['own', { keep: 0.5, index: 5 }]]) };
  test.each([
    ['a hint that is new', none, ['a', { keep: 0.2 }], [['a', { keep: 0.2 }]]],
    ['nothing for a layer to leave alone', none, ['a', null], []],
    ['nothing where the default says so', byDefault, ['a', { keep: 0.1 }], []],
    ['nothing where the layer says so', byDefault, ['own', { keep: 0.5, index: 5 }], []],
    ['a skip where the default would prune', byDefault, ['a', null], [['a', { skip: true }]]],
    ['a hint away', { ...byDefault, default: {} }, ['own', null], [['own', undefined]]],
    ['a skip stays', { default: {}, layers: new Map([['a', { skip: true }]]) }, ['a', null], []],
  ] satisfies [string, HintsOfFile, [string, PruneHint | null], [string, PruneHint | undefined][]][])(
    '%s',
    (_what, hints, entry, edits) => expect([...hintsToWrite(hints, [entry])]).toEqual(edits),
  );
});
