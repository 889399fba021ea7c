import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { complete } from '../../../../src/caffe/prototxt/complete';
import { diagnose } from '../../../../src/caffe/prototxt/diagnose';
import { format, formatLine, formatRange } from '../../../../src/caffe/prototxt/format';
import { findHints, writeHints } from '../../../../src/caffe/prototxt/hints';
import { parsePrototxt } from '../../../../src/caffe/prototxt/parser';
import { folds, outline } from '../../../../src/caffe/prototxt/structure';
import {
  definitionsOf,
  neighboursOf,
  occurrencesOf,
  rename,
  symbolAt,
} from '../../../../src/caffe/prototxt/symbols';
import { applyEdits, type Prototxt, type TextEdit } from '../../../../src/caffe/prototxt/tree';
import { brokenEditOf, brokenText } from '../../../support/brokenText';

const lenet = readFileSync(
  new URL('../../../../src/sample/lenet/train_val.prototxt', import.meta.url),
  'utf8',
);
const options = { indent: '  ' };

/** Asks for everything that an editor may ask for; what comes must lie within the text. */
function askAll(prototxt: Prototxt, offset: number): void {
  const { text } = prototxt;
  const within = ({ start, end }: { start: number; end: number }) => {
    if (!(start >= 0 && start <= end && end <= text.length))
      throw new Error(`${start}-${end} of ${text.length}`);
  };
  const applicable = (edits: TextEdit[]) => {
    edits.forEach(within);
    applyEdits(text, edits);
  };
  diagnose(prototxt).forEach((one) => {
    within(one);
    one.fixes.forEach(({ edits }) => edits.forEach(within));
    if (one.code === 'deprecated') one.fixes.forEach(({ edits }) => applicable(edits));
  });
  complete(prototxt, offset).forEach(({ span }) => within(span));
  applicable(format(prototxt, options));
  applicable(formatLine(prototxt, offset, options));
  applicable(formatRange(prototxt, { start: 0, end: offset }, options));
  outline(prototxt).forEach(({ span }) => within(span));
  folds(prototxt);
  findHints(prototxt).forEach(({ span }) => within(span));
  applicable(writeHints(prototxt, new Map([['conv1', { keep: 0.5 }]])));
  const symbol = symbolAt(prototxt, offset);
  if (!symbol) return;
  occurrencesOf(symbol).forEach(within);
  definitionsOf(symbol).forEach(within);
  const renamed = rename(symbol, 'other');
  if (Array.isArray(renamed)) applicable(renamed);
  if (symbol.layer) neighboursOf(symbol.net, symbol.layer);
}

test('nothing that an editor asks for throws, whatever the text', () => {
  const ask = (text: string, number: number) => askAll(parsePrototxt(text), number % (text.length + 1));
  fc.assert(fc.property(brokenText, fc.nat(), ask), { numRuns: 200 });
  fc.assert(fc.property(brokenEditOf(lenet), fc.nat(), ask), { numRuns: 50 });
});

describe('nor does it hang: time grows with the length of a text, not with its square', () => {
  test.each([
    [
      'layers whose bottoms nobody makes',
      (i: number) => `layer { type: "ReLU" bottom: "b${i}" top: "t${i}" }\n`,
    ],
    ['losses without bottoms', (i: number) => `layer { name: "l${i}" type: "EuclideanLoss" }\n`],
    ['hints that belong to no layer', () => '# prune: keep=2\n'],
    ['headings', (i: number) => `# ${i}\n\nlayer { }\n`],
    ['one layer after the other, never closed', () => 'layer {\n'],
    ['fields that nobody knows', (i: number) => `nme${i}: 1\n`],
    ['the same field over and over', () => 'name: "x"\n'],
    ['layers of one name', () => 'layer { name: "a" type: "Scale" top: "a" bottom: "a" }\n'],
    ['stages', (i: number) => `layer { top: "a" include { stage: "s${i}" } }\n`],
    ['old layers', () => 'layers { type: CONVOLUTION blobs_lr: 1 blobs_lr: 2 weight_decay: 1 }\n'],
    ['inputs', (i: number) => `input: "a${i}" input_dim: 1 input_dim: 1 input_dim: 1 input_dim: 1\n`],
    ['braces', () => '{'],
    ['blanks', () => ' '.repeat(50)],
    ['strings', () => '"a" '],
  ])('%s', (_, piece) => {
    const text = Array.from({ length: 6000 }, (_, index) => piece(index)).join('');
    askAll(parsePrototxt(text), text.length);
    expect(text.length).toBeGreaterThan(0);
  });
});

test('nor with very many of what a look back or ahead could go over again and again', () => {
  const comments = parsePrototxt('# one\n'.repeat(150_000));
  expect(format(comments, options)).toEqual([]);
  const oneLine = parsePrototxt('a { b: 1 } '.repeat(60_000));
  expect(folds(oneLine)).toEqual([]);
});
