import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { format, formatLine, formatRange } from '../../../../src/caffe/prototxt/format';
import { parsePrototxt } from '../../../../src/caffe/prototxt/parser';
import { applyEdits } from '../../../../src/caffe/prototxt/tree';
import { readMessage } from '../../../../src/caffe/prototxt/values';
import { messageType } from '../../../../src/caffe/schema';
import { textOf } from '../../../../src/phrase';

const options = { indent: '  ' };
const formatted = (text: string) => applyEdits(text, format(parsePrototxt(text), options));
const lenet = readFileSync(
  new URL('../../../../src/sample/lenet/train_val.prototxt', import.meta.url),
  'utf8',
);

describe('format', () => {
  test.each([
    ['name:"a"   type : "b"', 'name: "a"\ntype: "b"\n'],
    ['layer{name:"a"}', 'layer { name: "a" }\n'],
    ['layer{\nname:"a"}', 'layer {\n  name: "a"\n}\n'],
    ['layer {}', 'layer {}\n'],
    ['layer {\n\n\n}', 'layer {}\n'],
    ['a: 1\n\n\n\nb: 2\n\n\n', 'a: 1\n\nb: 2\n'],
    ['layer {\n\n  a: 1\n\n}', 'layer {\n  a: 1\n}\n'],
    ['# one\n\n# two\na: 1   # three\nb: 2# four', '# one\n\n# two\na: 1   # three\nb: 2 # four\n'],
    ['layer {\n# inside\na: 1\n# last\n}', 'layer {\n  # inside\n  a: 1\n  # last\n}\n'],
    ['p { a: [1,2 ,  3] }', 'p { a: [1, 2, 3] }\n'],
    ['a: [\n1,\n2 ]', 'a: [\n  1,\n  2]\n'],
    ['a: -  1 , b: 2 ;', 'a: -1,\nb: 2;\n'],
    ['p: <a: 1>', 'p: < a: 1 >\n'],
    ['a {\r\nb: 1 }', 'a {\r\n  b: 1\r\n}\r\n'],
    ['[x.y] : 1', '[x.y]: 1\n'],
    ['', ''],
    ['\n\n', ''],
    ['# only', '# only\n'],
  ])('%j', (text, expected) => expect(formatted(text)).toBe(expected));

  test('a message that does not fit a line is laid out over several', () => {
    const long = `layer { name: "${'x'.repeat(60)}" type: "Convolution" param { lr_mult: 1 } }`;
    expect(formatted(long)).toBe(
      `layer {\n  name: "${'x'.repeat(60)}"\n  type: "Convolution"\n  param { lr_mult: 1 }\n}\n`,
    );
  });

  test('a text with syntax problems is left alone', () => expect(formatted('a {  b:1')).toBe('a {  b:1'));

  test('a well laid out text stays as it is', () => expect(formatted(lenet)).toBe(lenet));

  test('any blanks: the same message, the same comments, and nothing more to do', () => {
    const blank = fc.constantFrom('', ' ', '\n', '\n\n\n', '\t ', ' # c\n', '\r\n');
    const tokens = ['layer', '{', 'name', ':', '"a"', '"b"', 'include', '{', 'phase', ':', 'TRAIN', ',', '}', 'loss_weight',
      ':', '[', '-', '1', ',', '2', ']', 'param', '<', '>', 'bottom', ':', "'x'", ';', '}', 'name', ':', '"net"']; // prettier-ignore
    fc.assert(
      fc.property(fc.array(blank, { minLength: tokens.length, maxLength: tokens.length }), (blanks) => {
        // Words need something between them.
        const text = tokens
          .map((token, index) => token + (blanks[index] || (/\w$/.test(token) ? ' ' : '')))
          .join('');
        const once = formatted(text);
        expect(formatted(once)).toBe(once);
        const read = (one: string) =>
          readMessage(one, parsePrototxt(one).root, messageType('NetParameter'), (misfit) => {
            throw new Error(textOf(misfit.message));
          });
        expect(read(once)).toEqual(read(text));
        expect(once.match(/#/g)?.length).toBe(text.match(/#/g)?.length);
      }),
      { numRuns: 1000 },
    );
  });
});

test('a range changes its lines only', () => {
  const text = 'a:1\nb:2\nc:3\n';
  const edits = formatRange(parsePrototxt(text), { start: 5, end: 5 }, options);
  expect(applyEdits(text, edits)).toBe('a:1\nb: 2\nc:3\n');
});

test.each([
  ['layer {\nname: "a"', 10, 'layer {\n  name: "a"'],
  ['layer {\n  }', 11, 'layer {\n}'],
  ['layer {\n  a {\n}', 15, 'layer {\n  a {\n  }'],
  ['layer {\n', 8, 'layer {\n  '],
])('a typed line is indented: %j', (text, offset, expected) => {
  expect(applyEdits(text, formatLine(parsePrototxt(text), offset, options))).toBe(expected);
});
