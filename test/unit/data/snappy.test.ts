import { describe, expect, it } from 'vitest';
import { decompressSnappy } from '../../../src/data/snappy';

const text = (value: string) => [...new TextEncoder().encode(value)];
const decompress = (...bytes: number[]) => new TextDecoder().decode(decompressSnappy(Uint8Array.from(bytes)));

describe('decompressSnappy', () => {
  it.each<[string, number[], string]>([
    ['nothing', [0], ''],
    ['a literal', [5, 4 << 2, ...text('caffe')], 'caffe'],
    ['a literal with its length in a byte', [70, 60 << 2, 69, ...text('x'.repeat(70))], 'x'.repeat(70)],
    [
      'a literal with its length in two bytes',
      [0xac, 2, 61 << 2, 0x2b, 1, ...text('y'.repeat(300))],
      'y'.repeat(300),
    ],
    // 4 literal bytes, then a copy of 5 from 4 back (tag 1: length 4..11 in 3 bits, offset in 11 bits)
    ['a short copy that overlaps itself', [9, 3 << 2, ...text('abcd'), ((5 - 4) << 2) | 1, 4], 'abcdabcda'],
    // tag 2: length 1..64, offset in two bytes
    ['a copy with a long offset', [10, 3 << 2, ...text('abcd'), ((6 - 1) << 2) | 2, 1, 0], 'abcddddddd'],
    [
      'a copy with an offset of four bytes',
      [8, 3 << 2, ...text('abcd'), ((4 - 1) << 2) | 3, 4, 0, 0, 0],
      'abcdabcd',
    ],
  ])('%s', (_, bytes, expected) => {
    expect(decompress(...bytes)).toBe(expected);
  });

  it.each<[string, number[], string]>([
    ['an empty block', [], 'ends too early'],
    ['a size without an end', [0x80, 0x80, 0x80, 0x80, 0x80, 1], 'is no number'],
    ['a size beyond what it can hold', [0xff, 0xff, 0xff, 0xff, 0x0f, 0], 'cannot hold'],
    ['a literal that is cut off', [5, 4 << 2, ...text('caf')], 'literal reaches beyond'],
    ['a copy from before the start', [8, 3 << 2, ...text('abcd'), ((4 - 4) << 2) | 1, 5], 'starts before'],
    ['a copy from nowhere', [8, 3 << 2, ...text('abcd'), ((4 - 4) << 2) | 1, 0], 'starts before'],
    ['more than its size', [3, 4 << 2, ...text('caffe')], 'more than its size'],
    ['less than its size', [6, 4 << 2, ...text('caffe')], 'less than its size'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decompress(...bytes)).toThrow(message);
  });
});
