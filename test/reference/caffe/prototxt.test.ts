import type { Type } from 'protobufjs';
import { fromText } from 'protobufjs/ext/textformat.js';
import { describe, expect, test } from 'vitest';
import { parsePrototxt } from '../../../src/caffe/prototxt/parser';
import { print } from '../../../src/caffe/prototxt/tree';
import { readMessage, type Misfit } from '../../../src/caffe/prototxt/values';
import { parseNet, parseSolver } from '../../../src/caffe/readNet';
import { messageType, protobufRoot } from '../../../src/caffe/schema';
import { prototxtsBelow, rootTypeOf, shared } from '../../support/prototxts';

const files = [...prototxtsBelow(`${shared}/models`), ...prototxtsBelow(`${shared}/golden`)].filter(
  ({ path }) => !path.includes('/negative/'),
);

function plain(type: Type, text: string): unknown {
  return type.toObject(fromText(type, text), { enums: String, longs: Number });
}

describe('real prototxts', () => {
  test('are there', () => expect(files.length).toBeGreaterThan(100));

  test.each(files)('$path: our tree and protobufjs agree', ({ text }) => {
    const tree = parsePrototxt(text);
    expect(tree.problems).toEqual([]);
    expect(print(tree)).toBe(text);
    const misfits: Misfit[] = [];
    const root = rootTypeOf(tree.root);
    const ours = readMessage(text, tree.root, messageType(root), (misfit) => misfits.push(misfit));
    expect(misfits.map(({ message }) => message)).toEqual([]);
    expect(ours).toEqual(plain(protobufRoot().lookupType(`caffe.${root}`), text));
    if (root === 'NetParameter') expect(parseNet(text).layers).toBeUndefined();
    else expect(parseSolver(text).solver_type).toBeUndefined();
  });
});
