import { ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { fromText } from 'protobufjs/ext/textformat.js';
import { describe, expect, test } from 'vitest';
import { depthLimit, parsePrototxt } from '../../../../src/caffe/prototxt/parser';
import { fieldOf, lineOf, messageAt, print, type MessageNode } from '../../../../src/caffe/prototxt/tree';
import { readMessage, type Misfit } from '../../../../src/caffe/prototxt/values';
import { messageType, protobufRoot } from '../../../../src/caffe/schema';
import { brokenEditOf, brokenText } from '../../../support/brokenText';
import { textOf } from '../../../../src/phrase';

const lenet = readFileSync(
  new URL('../../../../src/sample/lenet/train_val.prototxt', import.meta.url),
  'utf8',
);

/** The tree as short text: `layer{name="a" kernel_size=[1 2]}`; a brace that is missing shows as `…`. */
function shape(text: string): string {
  const show = (message: MessageNode): string =>
    message.fields
      .map((field) => {
        const values = field.values.map((value) =>
          value.kind === 'message'
            ? `{${show(value)}${value.closed ? '}' : '…'}`
            : text.slice(value.start, value.end),
        );
        return field.list ? `${field.name}=[${values.join(' ')}]` : `${field.name}=${values.join()}`;
      })
      .join(' ')
      .replaceAll('={', '{');
  return show(parsePrototxt(text).root);
}

function read(text: string, type: string): { value: unknown; misfits: string[] } {
  const tree = parsePrototxt(text);
  const misfits: Misfit[] = [];
  const value = readMessage(text, tree.root, messageType(type), (misfit) => misfits.push(misfit));
  return { value, misfits: [...tree.problems, ...misfits].map(({ message }) => textOf(message)) };
}

describe('valid text means what protobufjs reads', () => {
  test.each([
    ['LayerParameter', 'name: "a" type: \'b\''],
    ['LayerParameter', 'name: "a" "b" # between\n "c"'],
    ['LayerParameter', String.raw`name: "tab\t quote\" octal\101\7 hex\x41 é \303\251 \\ \u00e9 \'"`],
    ['LayerParameter', 'relu_param { negative_slope: 1.5f } , lrn_param < alpha: 1e-4; beta: .75 >'],
    ['LayerParameter', 'relu_param: { negative_slope: - 1 }'],
    ['LayerParameter', 'convolution_param { kernel_size: [3, 5], stride: [] pad: 1 pad: 2 engine: CUDNN }'],
    ['LayerParameter', 'include: [{ phase: TRAIN }, < phase: 1 >]'],
    ['LayerParameter', 'propagate_down: true propagate_down: false propagate_down: t propagate_down: 0'],
    ['LayerParameter', 'dropout_param { dropout_ratio: inf } power_param { power: -infinity shift: nan }'],
    ['SolverParameter', 'random_seed: 0x1F device_id: 017 max_iter: -0 base_lr: 1'],
    ['BlobShape', 'dim: -1 dim: 9007199254740991'],
    ['LayerParameter', ''],
    ['LayerParameter', '# only a comment'],
    ['LayerParameter', 'convolution_param { }'],
  ])('%s: %s', (type, text) => {
    const reflected = protobufRoot().lookupType(`caffe.${type}`);
    const { value, misfits } = read(text, type);
    expect(misfits).toEqual([]);
    expect(value).toEqual(reflected.toObject(fromText(reflected, text), { enums: String, longs: Number }));
  });
});

describe('what does not fit its field', () => {
  test.each([
    ['LayerParameter', 'name: a', '"name" must be a string'],
    ['LayerParameter', 'phase: TRIAN', '"phase" must be one of TRAIN, TEST'],
    ['LayerParameter', 'propagate_down: 2', 'must be true or false'],
    ['ConvolutionParameter', 'num_output: 1.5', 'must be an integer of at least 0'],
    ['ConvolutionParameter', 'num_output: 4294967296', 'must be an integer'],
    ['ConvolutionParameter', `num_output: ${'9'.repeat(5000)}`, 'must be an integer'],
    ['ReLUParameter', 'negative_slope: 1.2.3', 'must be a number'],
    ['ReLUParameter', 'negative_slope: "1"', 'must be a number'],
    ['LayerParameter', 'relu_param: 1', 'must be a message in braces'],
    ['LayerParameter', 'name { }', 'must be a string'],
    ['LayerParameter', 'nam: 1', 'has no field "nam"'],
  ])('%s: %s', (type, text, message) => expect(read(text, type).misfits.join()).toContain(message));
});

describe('broken text', () => {
  test.each([
    // text, tree, first problem
    ['a: 1 }', 'a=1', 'no message to close'],
    ['a {', 'a{…', '"a" is never closed'],
    ['a { b: 1', 'a{b=1…', '"a" is never closed'],
    ['a: { b: 1 > c: 2', 'a{b=1} c=2', '"{" is closed by ">"'],
    ['a:\nb: 1', 'a= b=1', '"a" has no value'],
    ['a: \n}', 'a=', '"a" has no value'],
    ['a 1', 'a=1', 'Expected ":"'],
    ['a', 'a=', 'Expected ":" and a value'],
    ['a b { }', 'a=b', 'Expected ":"'],
    ['"x" a: 1', 'a=1', 'belongs to no field'],
    ['= = a: 1', 'a=1', 'Unexpected'],
    ['\0\0 a: 1', 'a=1', 'Unexpected'],
    ['a: [1, 2', 'a=[1 2]', 'has no "]"'],
    ['a: [1,\nb: 2', 'a=[1] b=2', 'has no "]"'],
    ['a: "x\nb: 1', 'a="x b=1', 'no closing quote'],
    ['a: -', 'a=', 'Expected a number after "-"'],
    ['[x.y/z: 1', '[x.y/z=1', 'no "]"'],
    ['layer { a: 1\nlayer { a: 2 }', 'layer{a=1… layer{a=2}', '"layer" is never closed'],
    ['layer {\n  b {\n    a: 1\nlayer { a: 2 }', 'layer{b{a=1…… layer{a=2}', '"b" is never closed'],
    ['layers {\n  layer { a: 1 }\n}', 'layers{layer{a=1}}', undefined],
  ])('%j', (text, tree, problem) => {
    expect(shape(text)).toBe(tree);
    const [first] = parsePrototxt(text).problems;
    if (problem === undefined) expect(first).toBeUndefined();
    else expect(textOf(first.message)).toContain(problem);
  });

  test('messages nested beyond the limit are passed over', () => {
    const deep = 'a{'.repeat(100_000) + '}'.repeat(100_000) + ' b: 1';
    const { root, problems } = parsePrototxt(deep);
    expect(problems.map(({ message }) => textOf(message))).toEqual([
      expect.stringContaining('nested more than'),
    ]);
    expect(fieldOf(root, 'b')).toBeDefined();
    let depth = 0;
    for (let node: MessageNode | undefined = root; node; depth++)
      node = node.fields[0]?.values[0] as MessageNode | undefined;
    expect(depth).toBe(depthLimit + 2);
  });

  test.each(['{', '<', '[', 'a{', 'a:[', 'a:[{', '"', '\\', 'a:', '-', '}', 'layer{\n', '[', ',', 'a:[{},'])(
    '50,000 times %j is no trouble',
    (piece) => {
      const text = piece.repeat(50_000);
      expect(print(parsePrototxt(text))).toBe(text);
    },
  );
});

function check(text: string): void {
  const prototxt = parsePrototxt(text);
  expect(print(prototxt)).toBe(text);
  const inside = (message: MessageNode) => {
    let at = message.inner.start;
    for (const field of message.fields) {
      ok(field.start >= at);
      ok(field.end <= message.end);
      ok(field.nameSpan.end <= field.end);
      for (const value of field.values) {
        ok(value.start >= field.nameSpan.end);
        ok(value.end <= field.end);
        if (value.kind === 'message') inside(value);
      }
      at = field.end;
    }
  };
  inside(prototxt.root);
  for (const { start, end } of prototxt.problems) {
    ok(start >= 0);
    ok(end >= start);
    ok(end <= text.length);
    messageAt(prototxt, start);
    lineOf(prototxt, end);
  }
  readMessage(text, prototxt.root, messageType('NetParameter'), () => undefined);
}

describe('any text', () => {
  test('gives a tree that prints as the text', () => {
    fc.assert(fc.property(fc.oneof(brokenText, fc.string({ unit: 'binary' })), check), { numRuns: 1000 });
  });
  test('also a real one with random edits', () => {
    fc.assert(fc.property(brokenEditOf(lenet), check), { numRuns: 150 });
  });
});

test('messageAt finds the innermost braces', () => {
  const text = 'layer { name: "a" relu_param {  } }';
  const prototxt = parsePrototxt(text);
  expect(messageAt(prototxt, 0)).toBe(prototxt.root);
  expect(messageAt(prototxt, 9).field?.name).toBe('layer');
  expect(messageAt(prototxt, 31).field?.name).toBe('relu_param');
  expect(messageAt(prototxt, 33).field?.name).toBe('layer');
});
