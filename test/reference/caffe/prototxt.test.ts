import type { Type } from 'protobufjs';
import { fromText } from 'protobufjs/ext/textformat.js';
import { describe, expect, test } from 'vitest';
import { format } from '../../../src/caffe/prototxt/format';
import { diagnose } from '../../../src/caffe/prototxt/diagnose';
import { parsePrototxt } from '../../../src/caffe/prototxt/parser';
import { applyEdits, print } from '../../../src/caffe/prototxt/tree';
import { readMessage, type Misfit } from '../../../src/caffe/prototxt/values';
import { parseNet, parseSolver } from '../../../src/caffe/readNet';
import { messageType, protobufRoot } from '../../../src/caffe/schema';
import { inferShapes } from '../../../src/network/shapes';
import { prototxtsBelow, rootTypeOf, shared } from '../../support/prototxts';
import { textOf } from '../../../src/phrase';

const files = [...prototxtsBelow(`${shared}/models`), ...prototxtsBelow(`${shared}/golden`)].filter(
  ({ path }) => !path.includes('/negative/'),
);

function plain(type: Type, text: string): unknown {
  return type.toObject(fromText(type, text), { enums: String, longs: Number });
}

const layersOf = (text: string) => parseNet(text).layer.map(({ line: _, ...layer }) => layer);

describe('real prototxts', () => {
  test('are there', () => expect(files.length).toBeGreaterThan(100));

  test.each(files)('$path: formatted, it means the same and stays', ({ text }) => {
    const once = applyEdits(text, format(parsePrototxt(text), { indent: '  ' }));
    const tree = parsePrototxt(once);
    expect(format(tree, { indent: '  ' })).toEqual([]);
    const root = rootTypeOf(tree.root);
    const type = protobufRoot().lookupType(`caffe.${root}`);
    expect(plain(type, once)).toEqual(plain(type, text));
    expect(tree.comments.length).toBe(parsePrototxt(text).comments.length);
  });

  test.each(files)('$path: nothing is wrong with it, and converted it means the same', ({ text }) => {
    const found = diagnose(parsePrototxt(text), { inferShapes: (net, phase) => inferShapes(net, { phase }) });
    expect(
      found.filter(({ severity }) => severity === 'error').map(({ message }) => textOf(message)),
    ).toEqual([]);
    const fix = found.find(({ code, fixes }) => code === 'deprecated' && fixes.length > 0)?.fixes[0];
    if (!fix) return;
    const after = applyEdits(text, fix.edits);
    if (rootTypeOf(parsePrototxt(text).root) === 'SolverParameter')
      expect(parseSolver(after)).toEqual(parseSolver(text));
    else expect(layersOf(after)).toEqual(layersOf(text));
    expect(diagnose(parsePrototxt(after)).filter(({ code }) => code === 'deprecated')).toEqual([]);
  });

  test.each(files)('$path: our tree and protobufjs agree', ({ text }) => {
    const tree = parsePrototxt(text);
    expect(tree.problems).toEqual([]);
    expect(print(tree)).toBe(text);
    const misfits: Misfit[] = [];
    const root = rootTypeOf(tree.root);
    const ours = readMessage(text, tree.root, messageType(root), (misfit) => misfits.push(misfit));
    expect(misfits.map(({ message }) => textOf(message))).toEqual([]);
    expect(ours).toEqual(plain(protobufRoot().lookupType(`caffe.${root}`), text));
    if (root === 'NetParameter') expect(parseNet(text).layers).toBeUndefined();
    else expect(parseSolver(text).solver_type).toBeUndefined();
  });
});
