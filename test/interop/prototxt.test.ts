import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { conversionFix } from '../../src/caffe/prototxt/convert';
import { format } from '../../src/caffe/prototxt/format';
import { netsOf } from '../../src/caffe/prototxt/netText';
import { parsePrototxt } from '../../src/caffe/prototxt/parser';
import { applyEdits } from '../../src/caffe/prototxt/tree';
import { parseNet } from '../../src/caffe/readNet';
import { prototxtsBelow, rootTypeOfText, shared } from '../support/prototxts';
import { hasCaffe, upgradeNet } from './realCaffe';

const folder = mkdtempSync(join(tmpdir(), 'interop-prototxt-'));
afterAll(() => rmSync(folder, { recursive: true }));

const upgraded = (text: string) => upgradeNet(folder, text);

/** What a net says, in the precision that Caffe has, without where it says it. */
const meaningOf = (text: string): unknown =>
  JSON.parse(
    JSON.stringify(parseNet(text), (key, value: unknown) =>
      key === 'line' ? undefined : typeof value === 'number' ? Math.fround(value) : value,
    ),
  );

const nets = prototxtsBelow(join(shared, 'models'))
  .filter(({ text }) => rootTypeOfText(text) === 'NetParameter')
  .map(({ path, text }) => ({ name: relative(join(shared, 'models'), path), text }));

describe.skipIf(!hasCaffe || nets.length === 0)('nets mean what Caffe understands', () => {
  test.for(nets)('$name', ({ text }, { skip }) => {
    const theirs = upgraded(text);
    if (theirs === undefined) return skip('it is of a fork');
    const meaning = meaningOf(theirs);
    expect(meaningOf(text)).toEqual(meaning);
    const prototxt = parsePrototxt(text);
    expect(upgraded(applyEdits(text, format(prototxt, { indent: '  ' })))).toBe(theirs);
    const conversion = conversionFix(prototxt, netsOf(prototxt)[0]);
    if (conversion) expect(meaningOf(upgraded(applyEdits(text, conversion.edits))!)).toEqual(meaning);
  });
});
