import { CaffeError } from '../caffe/errors';
import { phrase } from '../phrase';
import { packBits, unpackBits } from './bits';
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

  /** The gaps without space between, once all values were given. */
  packedGaps(): Uint8Array | Uint16Array {
    return packGaps(this.gaps, this.width);
  }
}

/**
 * The flattened array. Zeros after the last entry need no filler: `length` tells them.
 * @throws CaffeError when the entries pass the end
 */
export function decodeRelativeIndex({ length, values, gaps }: Omit<RelativeIndex, 'width'>): Float32Array {
  if (gaps.length !== values.length) {
    throw new CaffeError(phrase`${values.length} values have ${gaps.length} gaps`);
  }
  const result = new Float32Array(length);
  let position = -1;
  for (let entry = 0; entry < values.length; entry++) {
    position += gaps[entry] + 1;
    if (position >= length)
      throw new CaffeError(phrase`entry ${entry} is at ${position}, past the end at ${length}`);
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

/** Bytes of `count` entries: the values, of `valueBits` each, and the gaps, both without space between. */
export const relativeIndexBytes = (count: number, width: IndexWidth, valueBits = 32): number =>
  Math.ceil((count * valueBits) / 8) + Math.ceil((count * width) / 8);

/** The width that takes the fewest bytes, the wider one where two do. */
export function bestIndexWidth(entries: Record<IndexWidth, number>, valueBits = 32): IndexWidth {
  const bytes = (width: IndexWidth) => relativeIndexBytes(entries[width], width, valueBits);
  return indexWidths.reduce((best, width) => (bytes(width) <= bytes(best) ? width : best));
}

/** Gaps without space between, those of 4 and 5 bits by {@link packBits}. */
export const packGaps = (gaps: Uint8Array | Uint16Array, width: IndexWidth): Uint8Array | Uint16Array =>
  width < 8 ? packBits(gaps, width) : gaps;

/**
 * The reverse of {@link packGaps}.
 * @throws CaffeError when there are not `count` gaps, or they are of another type
 */
export function unpackGaps(
  packed: Uint8Array | Uint16Array,
  width: IndexWidth,
  count: number,
): Uint8Array | Uint16Array {
  if (packed instanceof Uint16Array !== (width === 16))
    throw new CaffeError(phrase`the gaps are of the wrong type`);
  if (width < 8) return unpackBits(packed as Uint8Array, width, count);
  if (packed.length !== count) throw new CaffeError(phrase`${count} values have ${packed.length} gaps`);
  return packed;
}
