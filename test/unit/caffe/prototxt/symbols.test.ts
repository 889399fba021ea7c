import { describe, expect, test } from 'vitest';
import { netsOf, wire } from '../../../../src/caffe/prototxt/netText';
import { parsePrototxt } from '../../../../src/caffe/prototxt/parser';
import { folds, outline } from '../../../../src/caffe/prototxt/structure';
import {
  definitionsOf,
  neighboursOf,
  occurrencesOf,
  rename,
  symbolAt,
} from '../../../../src/caffe/prototxt/symbols';
import { applyEdits, lineOf } from '../../../../src/caffe/prototxt/tree';
import { textOf, type Phrase } from '../../../../src/phrase';

const net = `name: "net"
layer { name: "train" type: "Data" top: "data" top: "label" include { phase: TRAIN } }
layer { name: "test" type: "Data" top: "data" top: "label" include { phase: TEST } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" param { name: "w" } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "drop" type: "Dropout" bottom: "conv" top: "conv" exclude { phase: TEST } }
layer { name: "twin" type: "Convolution" bottom: "conv" top: "twin" param { } param { name: "w" } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "twin" bottom: "label" top: "loss" }
`;
const prototxt = parsePrototxt(net);
const at = (text: string, needle: string, which = 0) => {
  let offset = -1;
  for (let i = 0; i <= which; i++) offset = text.indexOf(needle, offset + 1);
  return offset;
};
const symbol = (needle: string, which = 0) => symbolAt(prototxt, at(net, needle, which) + 1)!;
const lines = (spans: readonly { start: number }[]) => spans.map(({ start }) => lineOf(prototxt, start));

describe('names', () => {
  test.each([
    // needle, which, kind, lines of occurrences, lines of definitions
    ['"conv" top: "twin"', 0, 'blob', [3, 4, 4, 5, 5, 6], [3]],
    ['"conv" }', 0, 'blob', [3, 4, 4, 5, 5, 6], [3]],
    ['"data"', 2, 'blob', [1, 2, 3], [1, 2]],
    ['"label" top', 0, 'blob', [1, 2, 7], [1, 2]],
    ['"relu"', 0, 'layer', [4], [4]],
    ['"w"', 1, 'param', [3, 6], [3]],
  ])('%s', (needle, which, kind, occurrences, definitions) => {
    const found = symbol(needle, which);
    expect(found.kind).toBe(kind);
    expect(lines(occurrencesOf(found))).toEqual(occurrences);
    expect(lines(definitionsOf(found))).toEqual(definitions);
  });

  test('elsewhere there is none', () =>
    expect(symbolAt(prototxt, at(net, 'type: "ReLU"') + 8)).toBeUndefined());

  test('renaming reaches every place, and only those', () => {
    const edits = rename(symbol('"conv" top: "twin"'), 'first');
    expect(applyEdits(net, edits as never)).toBe(net.replace(/(bottom|top): "conv"/g, '$1: "first"'));
    expect(applyEdits(net, rename(symbol('"w"'), 'shared') as never)).toBe(net.replaceAll('"w"', '"shared"'));
  });

  test.each([
    ['"a" "b"', '"x"'],
    [`'a' # one\n 'b'`, `'x'`],
    ['"a\\"b"', '"x"'],
    ['"ab', '"x'],
  ])('a name that is written %s becomes %s', (name, after) => {
    const text = `layer { name: ${name}\n}`;
    const found = symbolAt(parsePrototxt(text), text.indexOf(name) + 1)!;
    expect(applyEdits(text, rename(found, 'x') as never)).toBe(`layer { name: ${after}\n}`);
  });

  test('what no layer of its phase makes comes from wherever it is made', () => {
    const text = `layer { name: "d" type: "Data" top: "x" include { phase: TRAIN } }
layer { name: "a" type: "Accuracy" bottom: "x" include { phase: TEST } }`;
    const found = symbolAt(parsePrototxt(text), text.lastIndexOf('"x"') + 1)!;
    expect(definitionsOf(found).map(({ start }) => start)).toEqual([text.indexOf('"x"') + 1]);
  });

  test.each([
    ['twin', 'already'],
    ['', 'needs a name'],
    ['a"b', 'no quotes'],
  ])('no blob can be named %j now', (name, problem) => {
    const refusal = rename(symbol('"conv" top: "twin"'), name) as { problem: Phrase };
    expect(textOf(refusal.problem)).toContain(problem);
  });

  test('neighbours pass through layers that work in place, phase by phase', () => {
    const [text] = netsOf(prototxt);
    const names = (layer: string) => {
      const { inputs, outputs } = neighboursOf(
        text,
        text.layers.find(({ name }) => name === layer)!,
      );
      return [inputs.map(({ name }) => name), outputs.map(({ name }) => name)];
    };
    expect(names('twin')).toEqual([['relu', 'drop'], ['loss']]);
    expect(names('loss')).toEqual([['train', 'test', 'twin'], []]);
    expect(names('relu')).toEqual([['conv'], ['drop', 'twin']]);
  });
});

describe('wiring', () => {
  const wired = (text: string) => {
    const { missing, doubled } = wire(netsOf(parsePrototxt(text))[0]);
    return {
      missing: missing.map(({ use, phases }) => `${use.blob} in ${phases.join()}`),
      doubled: doubled.map(({ use }) => use.blob),
    };
  };
  const data = 'layer { name: "d" type: "Input" top: "data" }';
  test.each<[string, string, string[], string[]]>([
    ['a bottom that nobody makes', `${data} layer { bottom: "dta" top: "a" }`, ['dta in TEST'], []],
    ['made below only', `${data} layer { bottom: "a" top: "b" } layer { bottom: "data" top: "a" }`, ['a in TEST'], []],
    ['made in one phase', `${data} layer { top: "a" bottom: "data" include { phase: TRAIN } } layer { bottom: "a" }`, ['a in TEST'], []],
    ['read in that phase only', `${data} layer { top: "a" bottom: "data" include { phase: TRAIN } } layer { bottom: "a" exclude { phase: TEST } }`, [], []],
    ['a phase that nobody feeds', 'layer { top: "data" include { phase: TRAIN } } layer { bottom: "data" top: "a" }', [], []],
    ['an input of the net', 'input: "data" layer { bottom: "data" top: "a" }', [], []],
    ['a stage', `${data} layer { top: "a" include { stage: "s" } } layer { bottom: "a" include { stage: "s" } }`, [], []],
    ['not in that stage', `${data} layer { top: "a" include { stage: "s" } } layer { bottom: "a" include { not_stage: "s" } }`, ['a in TEST'], []],
    ['a level', `${data} layer { top: "a" include { min_level: 2 } } layer { bottom: "a" include { min_level: 3 } }`, [], []],
    ['made twice', `${data} layer { bottom: "data" top: "a" } layer { bottom: "data" top: "a" }`, [], ['a']],
    ['in place', `${data} layer { bottom: "data" top: "data" }`, [], []],
    ['in place, but not at the same position', `${data} layer { bottom: "data" top: "x" top: "data" }`, [], ['data']],
    ['twice in different phases', 'layer { top: "d" include { phase: TRAIN } } layer { top: "d" include { phase: TEST } }', [], []],
    ['2013', 'input: "data" layers { layer { name: "c" type: "conv" } bottom: "dat" top: "c" }', ['dat in TEST'], []],
    ['in training only, where there is a loss', `${data} layer { top: "a" bottom: "data" include { phase: TEST } } layer { type: "EuclideanLoss" bottom: "a" bottom: "data" }`, ['a in TRAIN'], []],
    ['inside a list', 'layer: [{ top: "a" }, { bottom: "a" top: "b" }]', [], []],
  ])('%s', (_, text, missing, doubled) => expect(wired(text)).toEqual({ missing, doubled })); // prettier-ignore
});

test('outline', () => {
  const items = outline(parsePrototxt(`${net}solver_x { }`));
  expect(items.map(({ name, detail }) => `${name}: ${detail}`).slice(0, 4)).toEqual([
    'train: Data → data, label',
    'test: Data → data, label',
    'conv: Convolution',
    'relu: ReLU → conv',
  ]);
  expect(items[0].children.map(({ name }) => name)).toEqual(['include']);
  const nested = outline(parsePrototxt('net_param { layer { name: "a" type: "ReLU" } } base_lr: 1'));
  expect(nested).toMatchObject([
    { kind: 'net', name: 'net_param', children: [{ kind: 'layer', name: 'a' }] },
  ]);
});

test('folds', () => {
  const text = `# a
# b
layer {
  name: "x"
  p {
    q: 1 }
}
# stage 1
layer { }
layer {
}
# stage 2
layer { }`;
  expect(
    folds(parsePrototxt(text)).map(({ kind, startLine, endLine }) => [kind, startLine, endLine]),
  ).toEqual([
    ['comment', 0, 1],
    ['message', 2, 5],
    ['message', 4, 5],
    ['group', 7, 10],
  ]);
});
