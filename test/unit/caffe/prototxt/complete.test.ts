import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asksForMore, complete } from '../../../../src/caffe/prototxt/complete';
import { parsePrototxt } from '../../../../src/caffe/prototxt/parser';
import { brokenText } from '../../../support/brokenText';

/** Completions at the `|` of a text, best first. */
function at(marked: string) {
  const offset = marked.indexOf('|');
  const text = marked.replace('|', '');
  return complete(parsePrototxt(text), offset).sort((a, b) => a.rank - b.rank);
}
const labels = (marked: string) => at(marked).map(({ label }) => label);
/** The text once the completion with this label is taken. */
function take(marked: string, label: string): string {
  const { span, snippet } = at(marked).find((one) => one.label === label)!;
  const text = marked.replace('|', '');
  return text.slice(0, span.start) + snippet + text.slice(span.end);
}

const net = `layer { name: "d" type: "Input" top: "data" top: "label" }
layer { name: "c1" type: "Convolution" bottom: "data" top: "c1" param { name: "w" } }
layer { name: "r1" type: "ReLU" bottom: "c1" top: "c1" include { stage: "deploy" } }
`;

describe('fields', () => {
  test.each([
    ['layer { | }', ['name', 'type', 'bottom', 'top', 'convolution_param'], ['net', 'num_output']],
    ['layer { name: "a" ty| }', ['type', 'bottom'], ['name']],
    ['layer { convolution_param { | } }', ['num_output', 'kernel_size', 'stride'], ['name']],
    ['layer {\n  name: "a"\n  |', ['type'], ['name']],
    ['layer { convolution_param { kernel_size: 3 num_output: 2 | } }', ['kernel_size'], ['num_output']],
    ['net: "a"\nbase_lr: 1\n|', ['lr_policy', 'max_iter'], ['layer', 'base_lr']],
    ['|', ['layer', 'base_lr', 'layer Convolution'], ['num_output']],
    ['layers { | }', ['blobs_lr'], ['propagate_down']],
    ['item { | }', ['display_name'], []],
    ['layer { nobody { | } }', [], ['name']],
  ])('%s', (marked, some, none) => {
    const found = labels(marked);
    expect(found).toEqual(expect.arrayContaining(some));
    for (const label of none) expect(found).not.toContain(label);
  });

  test('those that the layer type reads come first, deprecated ones last', () => {
    expect(labels('layer { type: "Pooling" | }')[0]).toBe('pooling_param');
    expect(at('|').at(-1)).toMatchObject({ deprecated: true });
  });

  test('come with what belongs to them', () => {
    expect(take('layer { na| }', 'name')).toBe('layer { name: "$0" }');
    expect(take('layer { po|oling }', 'pooling_param')).toBe('layer { pooling_param {\n\t$0\n} }');
    expect(take('layer { pooling_param { pool| } }', 'pool')).toBe('layer { pooling_param { pool: $0 } }');
    expect(take('|', 'layer Pooling')).toContain('\n\tpooling_param {\n\t\tpool: ${1|MAX,AVE|}\n');
  });
});

describe('values', () => {
  test.each([
    ['layer { pooling_param { pool: | } }', ['MAX', 'AVE', 'STOCHASTIC']],
    ['layer { pooling_param { pool: M|', ['MAX', 'AVE', 'STOCHASTIC']],
    ['layer { include { phase: | } }', ['TRAIN', 'TEST']],
    ['layer { convolution_param { bias_term: | } }', ['true', 'false']],
    ['layer { convolution_param { group: | } }', ['1']],
    ['base_lr: 1 lr_policy: "|"', ['fixed', 'step', 'multistep', 'exp', 'inv', 'poly', 'sigmoid']],
    [`${net}layer { bottom: "|" }`, ['c1', 'label', 'data']],
    [`${net}layer { bottom: "label" bottom: "|`, ['c1', 'data']],
    [`layer { bottom: "|" } ${net}`, []],
    [`${net}layer { name: "x" bottom: "c1" top: "|" }`, ['x', 'c1']],
    [`${net}layer { param { name: "|" } }`, ['w']],
    [`${net}layer { include { stage: "|" } }`, ['deploy']],
    ['layer { loss_param { normalization: | } }', ['FULL', 'VALID', 'BATCH_SIZE', 'NONE', 'PRE_FIXED']],
    ['layer { type: POOLING } layers { type: |', expect.arrayContaining(['POOLING', 'INNER_PRODUCT'])],
    ['layer { name: "|" }', []],
    ['layer { "|" }', []],
  ])('%s', (marked, expected) => expect(labels(marked)).toEqual(expected));

  test('layer types, with and without quotes', () => {
    expect(labels('layer { type: "|" }')).toEqual(expect.arrayContaining(['Convolution', 'PriorBox']));
    expect(take('layer { type: "Conv|x" }', 'Convolution')).toBe('layer { type: "Convolution" }');
    expect(take('layer { type: | }', 'Convolution')).toBe('layer { type: "Convolution" }');
    expect(take('layer { type: "Con|\n}', 'Convolution')).toBe('layer { type: "Convolution\n}');
  });
});

test.each([
  ['layer { # prune: |', ['skip', 'keep', 'threshold', 'std', 'method', 'bits', 'index', 'default']],
  ['layer { # prune: keep=8% |', ['skip', 'threshold', 'std', 'method', 'bits', 'index', 'default']],
  ['layer { # prune: method=|', ['keep', 'threshold', 'std', 'filters', 'random', 'global', '2:4']],
  ['layer { # prune: keep=|', []],
  ['#|', ['# prune:']],
  ['# any comment|', []],
])('hints: %s', (marked, expected) => expect(labels(marked)).toEqual(expected));

test('any text, any place', () => {
  fc.assert(
    fc.property(brokenText, fc.nat(), (text, number) => {
      const offset = number % (text.length + 1);
      for (const { span } of complete(parsePrototxt(text), offset)) {
        if (span.start > offset || span.end < offset)
          throw new Error(`${span.start}-${span.end} misses ${offset}`);
      }
    }),
    { numRuns: 1000 },
  );
});

describe('what a character that is typed asks for', () => {
  test.each([
    ['layer { name:|', true],
    ['layer { name: |', true],
    ['layer { name: "|', true],
    ['layer { name: "|"', true],
    ["layer { name: '|'", true],
    // A line break is next, which must not take a suggestion.
    ['layer { name: "a"|', false],
    ["layer { name: 'a'|", false],
    ['layer { name: "a" |', false],
    ['layer |', false],
    ['# prune: |', true],
    ['# prune: keep=|', true],
    ['|', false],
  ])('%s', (marked, asks) => {
    const offset = marked.indexOf('|');
    const prototxt = parsePrototxt(marked.replace('|', ''));
    expect(asksForMore(prototxt, offset, marked[offset - 1] ?? ' ')).toBe(asks);
  });
});
