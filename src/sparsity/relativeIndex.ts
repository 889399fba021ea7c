import { countRuns, encodeEntries, type Runs } from './scan';

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
  gaps: Uint8Array | Uint16Array;
}

/** Encodes `values` with gaps of `width` bits. */
export function encodeRelativeIndex(values: Float32Array, width: IndexWidth): RelativeIndex {
  const encoder = new RelativeIndexEncoder(values, width, countEntries(values)[width]);
  const entries = new Float32Array(encoder.count);
  let done = 0;
  for (const part of encoder.values()) {
    entries.set(part, done);
    done += part.length;
  }
  return { width, length: values.length, values: entries, gaps: encoder.gaps };
}

/** The same piece by piece: where a blob fills half the memory, its entries are not to fill the other half. */
export class RelativeIndexEncoder {
  /** The gaps of the entries that {@link values} has given so far. */
  readonly gaps: Uint8Array | Uint16Array;

  /** @param count how many entries it makes, as {@link countEntries} tells */
  constructor(
    private readonly source: Float32Array,
    private readonly width: IndexWidth,
    readonly count: number,
  ) {
    this.gaps = width === 16 ? new Uint16Array(count) : new Uint8Array(count);
  }

  /** The values of the entries, in order. */
  *values(): Generator<Float32Array, void> {
    let done = 0;
    for (const { values, gaps } of encodeEntries(this.source, this.width)) {
      this.gaps.set(gaps, done);
      done += gaps.length;
      yield values;
    }
  }

  /** The gaps without space between, once all values were given; they are packed in place. */
  packedGaps(): Uint8Array | Uint16Array {
    return packGaps(this.gaps, this.width);
  }
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

/**
 * Packs gaps of 4 or 5 bits into bytes, the first gap in the lowest bits (numpy.unpackbits with bitorder='little');
 * those of 8 and 16 bits are as they should be. Done in place: the result takes the place of `gaps`.
 */
export function packGaps(gaps: Uint8Array | Uint16Array, width: IndexWidth): Uint8Array | Uint16Array {
  if (width >= 8 || gaps instanceof Uint16Array) return gaps;
  let packed = 0;
  let held = 0;
  let bits = 0;
  for (let i = 0; i < gaps.length; i++) {
    held |= gaps[i] << bits;
    bits += width;
    if (bits >= 8) {
      gaps[packed++] = held;
      held >>>= 8;
      bits -= 8;
    }
  }
  if (bits > 0) gaps[packed++] = held;
  return gaps.subarray(0, packed);
}

/** The reverse of {@link packGaps}; `count` gaps are read. */
export function unpackGaps(
  packed: Uint8Array | Uint16Array,
  width: IndexWidth,
  count: number,
): Uint8Array | Uint16Array {
  if (
    packed.length < Math.ceil((count * Math.min(width, 8)) / 8) ||
    (width < 8 && packed instanceof Uint16Array)
  ) {
    throw new RangeError(`${packed.length} numbers hold fewer than ${count} gaps of ${width} bits`);
  }
  if (width >= 8) return packed;
  const gaps = new Uint8Array(count);
  const mask = 2 ** width - 1;
  for (let i = 0, bit = 0; i < count; i++, bit += width) {
    const two = packed[bit >>> 3] | ((packed[(bit >>> 3) + 1] ?? 0) << 8);
    gaps[i] = (two >>> (bit & 7)) & mask;
  }
  return gaps;
}
