import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  findHints,
  printHint,
  readHints,
  writeHints,
  type PruneHint,
} from '../../../../src/caffe/prototxt/hints';
import { parsePrototxt } from '../../../../src/caffe/prototxt/parser';
import { applyEdits } from '../../../../src/caffe/prototxt/tree';
import { textOf } from '../../../../src/phrase';

const net = `name: "net"
# prune: default keep=0.1

# A comment.
# prune: skip
layer {
  name: "conv1"
  type: "Convolution"
}
layer {
  name: "ip1"  # prune: keep=8% index=5
  inner_product_param {
    num_output: 500 # prune: bits=4
  }
}
layer { name: "ip2" } # prune: method=2:4
`;

const read = (text: string) => readHints(parsePrototxt(text));
const problems = (text: string) =>
  findHints(parsePrototxt(text)).flatMap((found) =>
    found.problems.map(({ start, end, message }) => `${text.slice(start, end)}: ${textOf(message)}`),
  );

describe('reading', () => {
  test('hints inside a layer, right above it and behind it', () => {
    const hints = read(net);
    expect(hints.default).toEqual({ keep: 0.1 });
    expect([...hints.layers]).toEqual([
      ['conv1', { skip: true }],
      ['ip1', { keep: 0.08, index: 5, bits: 4 }],
      ['ip2', { method: '2:4' }],
    ]);
    expect(problems(net)).toEqual([]);
  });

  test('hints of a layer add up while they do not speak of the same', () => {
    const text =
      'layer { name: "a" # prune: keep=1% bits=4\n# prune: index=5\n}\nlayer { name: "b" # prune: skip\n}';
    expect([...read(text).layers]).toEqual([
      ['a', { keep: 0.01, bits: 4, index: 5 }],
      ['b', { skip: true }],
    ]);
    expect(problems(text)).toEqual([]);
  });

  test('a layer of 2013 has its name one brace deeper', () => {
    expect([...read('layers { layer { name: "c" } # prune: skip\n }').layers.keys()]).toEqual(['c']);
  });

  test.each([
    ['keep=8', 'keep=8: keep is a ratio'],
    ['keep=-1', 'keep=-1: keep is a ratio'],
    ['keep=abc', 'keep=abc: "abc" is no ratio'],
    ['keep', 'keep: "keep" needs a value'],
    ['threshold=-0.5', 'threshold=-0.5: "threshold" must not be negative'],
    ['threshold=5%', 'threshold=5%: "5%" is no number'],
    ['bits=0', 'bits=0: bits must be'],
    ['index=7', 'index=7: index must be 4, 5, 8 or 16'],
    ['method=magic', 'method=magic: Unknown method'],
    ['method=4:2', 'method=4:2: Unknown method'],
    ['skip=1', 'skip=1: "skip" takes no value'],
    ['kep=1', 'kep=1: A hint knows no "kep"'],
    ['keep=1 keep=1', 'keep=1: "keep" stands here twice'],
    ['skip keep=1', ' skip keep=1: skip, keep exclude each other'],
    ['', ': The hint says nothing'],
  ])('%j is wrong', (words, problem) => {
    expect(problems(`layer {\n# prune: ${words}\n}`.replace(': \n', ':\n'))[0]).toContain(problem);
  });

  test.each([
    ['a blank line between', '# prune: skip\n\nlayer { name: "a" }', 'belongs to no layer'],
    ['no layer at all', '# prune: skip', 'belongs to no layer'],
    ['a late default', 'layer { }\n# prune: default skip\nlayer { }', 'before the first layer'],
    ['a second ratio', 'layer { # prune: keep=1%\n# prune: keep=2%\n}', 'before this one says keep already'],
    ['a ratio of a layer to skip', '# prune: skip\nlayer { # prune: keep=2%\n}', 'exclude each other'],
    ['a second default', '# prune: default skip\n# prune: default std=1\nlayer { }', 'exclude each other'],
  ])('%s', (_, text, problem) => expect(problems(text)[0]).toContain(problem));
});

describe('printing', () => {
  test.each<[PruneHint, string]>([
    [{ keep: 0.08, index: 5 }, '# prune: keep=8% index=5'],
    [{ skip: true }, '# prune: skip'],
    [{ keep: 1 / 3 }, `# prune: keep=${1 / 3}`],
    [{ threshold: 1e-7, method: 'random' }, '# prune: threshold=1e-7 method=random'],
  ])('%j', (hint, text) => expect(printHint(hint)).toBe(text));

  test('gives back what was read', () => {
    const number = fc.double({ min: 0, max: 1e6, noNaN: true }).map((value) => value + 0);
    const hint = fc.record(
      {
        keep: fc.double({ min: 0, max: 1, noNaN: true }),
        method: fc.constantFrom('filters', '2:4', 'global'),
        bits: fc.integer({ min: 1, max: 16 }),
        index: fc.constantFrom(4, 5, 8, 16),
      },
      { requiredKeys: ['keep'] },
    );
    const other = fc.oneof(
      fc.record({ threshold: number }),
      fc.record({ std: number }),
      fc.constant({ skip: true }),
    );
    fc.assert(
      fc.property(fc.oneof(hint, other), (one) => {
        expect(read(`layer { name: "a"\n${printHint(one as PruneHint)}\n}`).layers.get('a')).toEqual(one);
      }),
    );
  });
});

describe('writing', () => {
  const write = (text: string, hints: Record<string, PruneHint | undefined>) =>
    applyEdits(text, writeHints(parsePrototxt(text), new Map(Object.entries(hints))));

  test('rewrites, adds and removes, and moves nothing else', () => {
    expect(
      write(net, { conv1: { keep: 0.5 }, ip1: { skip: true }, ip2: undefined, nobody: { skip: true } }),
    ).toBe(
      net
        .replace('# prune: skip', '# prune: keep=50%')
        .replace('# prune: keep=8% index=5', '# prune: skip')
        .replace(' # prune: bits=4', '')
        .replace(' # prune: method=2:4', ''),
    );
  });

  test('a new hint gets a line below the name, or above a layer of one line', () => {
    const text = 'layer {\r\n\tname: "a" # first\r\n}\r\nlayer { name: "b" }';
    expect(write(text, { a: { keep: 0.2 }, b: { skip: true } })).toBe(
      'layer {\r\n\tname: "a" # first\r\n\t# prune: keep=20%\r\n}\r\n# prune: skip\r\nlayer { name: "b" }',
    );
  });

  test('a removed hint takes its line with it', () => {
    expect(write('layer {\n  name: "a"\n  # prune: skip\n}', { a: undefined })).toBe(
      'layer {\n  name: "a"\n}',
    );
  });
});
