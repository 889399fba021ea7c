import { bitsOf } from './magnitudeCounts';
import { countRuns, type Runs } from './scan';

/** Bits of a gap. 4 and 5 are Deep Compression's choices for inner products and convolutions (Han 2016, section 3). */
export const indexWidths = [4, 5, 8, 16] as const;
export type IndexWidth = (typeof indexWidths)[number];

/**
 * Values in relative-index form (Deep Compression, section 2, figure 2): of a flattened array the entries that are
 * not +0, each with its gap, the number of zeros skipped since the entry before. Where more zeros come in a row than
 * a gap can tell, a filler entry with the value zero is put in. Entry k stands at position
 * cumsum(gaps + 1)[k] - 1. A value of -0 counts as an entry, so that nothing is lost.
 */
export interface RelativeIndex {
  width: IndexWidth;
  /** Length of the flattened array. */
  length: number;
  values: Float32Array;
  /** Each 0..2^width - 1. */
  gaps: Uint16Array;
}

/** Encodes `values` with gaps of `width` bits. */
export function encodeRelativeIndex(values: Float32Array, width: IndexWidth): RelativeIndex {
  const count = countEntries(values)[width];
  const entries = new Float32Array(count);
  const gaps = new Uint16Array(count);
  const bits = bitsOf(values);
  const largest = 2 ** width - 1;
  let entry = 0;
  let gap = 0;
  for (let i = 0; i < bits.length; i++) {
    if (bits[i] === 0) {
      gap++;
      continue;
    }
    for (; gap > largest; gap -= largest + 1) gaps[entry++] = largest;
    entries[entry] = values[i];
    gaps[entry++] = gap;
    gap = 0;
  }
  return { width, length: values.length, values: entries, gaps };
}

/**
 * The flattened array. Zeros after the last entry need no filler: `length` tells them.
 * @throws RangeError when the entries pass the end
 */
export function decodeRelativeIndex({ length, values, gaps }: Omit<RelativeIndex, 'width'>): Float32Array {
  if (gaps.length !== values.length) {
    throw new RangeError(`${values.length} values have ${gaps.length} gaps`);
  }
  const result = new Float32Array(length);
  let position = -1;
  for (let entry = 0; entry < values.length; entry++) {
    position += gaps[entry] + 1;
    if (position >= length)
      throw new RangeError(`entry ${entry} is at ${position}, past the end at ${length}`);
    result[position] = values[entry];
  }
  return result;
}

/** Entries, fillers included, that each width needs. */
export function countEntries(values: Float32Array): Record<IndexWidth, number> {
  return entriesOf(countRuns(values));
}

/** The same where the runs of zeros are counted already. */
export const entriesOf = ({ stored, fillers }: Runs): Record<IndexWidth, number> => ({
  4: stored + fillers[4],
  5: stored + fillers[5],
  8: stored + fillers[8],
  16: stored + fillers[16],
});

/** Bytes of `count` entries: 4 for each value, and the gaps packed without space between. */
export const relativeIndexBytes = (count: number, width: IndexWidth): number =>
  4 * count + Math.ceil((count * width) / 8);

/** The width that takes the fewest bytes, the wider one where two do. */
export function bestIndexWidth(entries: Record<IndexWidth, number>): IndexWidth {
  return indexWidths.reduce((best, width) =>
    relativeIndexBytes(entries[width], width) <= relativeIndexBytes(entries[best], best) ? width : best,
  );
}

/** Packs gaps of 4 or 5 bits into bytes, the first gap in the lowest bits (numpy.unpackbits with bitorder='little'). */
export function packGaps(gaps: Uint16Array, width: IndexWidth): Uint8Array | Uint16Array {
  if (width === 16) return gaps;
  if (width === 8) return Uint8Array.from(gaps);
  const bytes = new Uint8Array(Math.ceil((gaps.length * width) / 8));
  for (let i = 0, bit = 0; i < gaps.length; i++, bit += width) {
    const shifted = gaps[i] << (bit & 7);
    bytes[bit >>> 3] |= shifted;
    if (shifted > 0xff) bytes[(bit >>> 3) + 1] |= shifted >>> 8;
  }
  return bytes;
}

/** The reverse of {@link packGaps}; `count` gaps are read. */
export function unpackGaps(packed: Uint8Array | Uint16Array, width: IndexWidth, count: number): Uint16Array {
  if (width >= 8) return Uint16Array.from(packed);
  if (packed.length < Math.ceil((count * width) / 8)) {
    throw new RangeError(`${packed.length} bytes hold fewer than ${count} gaps of ${width} bits`);
  }
  const gaps = new Uint16Array(count);
  const mask = 2 ** width - 1;
  for (let i = 0, bit = 0; i < count; i++, bit += width) {
    const two = packed[bit >>> 3] | ((packed[(bit >>> 3) + 1] ?? 0) << 8);
    gaps[i] = (two >>> (bit & 7)) & mask;
  }
  return gaps;
}
