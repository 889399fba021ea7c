import type { Codebook } from './codebook';
import { huffmanBytes } from './huffman';
import { type IndexWidth, RelativeIndexEncoder, relativeIndexBytes } from './relativeIndex';

/**
 * A blob whose weights share a few values, in relative-index form (Deep Compression, sections 2 and 3): each entry is
 * told by its gap and the index of its value in the codebook.
 */
export interface SharedWeights {
  /** Bits of an index. */
  bits: number;
  width: IndexWidth;
  /** The value of each index, ascending but for the first, which is the zero of fillers. */
  codebook: Float32Array;
  /** Of the entries. */
  codes: Uint8Array | Uint16Array;
  gaps: Uint8Array | Uint16Array;
}

/**
 * Encodes values that are zero or in the codebook, as `shareWeights` leaves them.
 * @param count how many entries that makes
 */
export function encodeShared(
  values: Float32Array,
  { bits, values: shared }: Codebook,
  width: IndexWidth,
  count: number,
): SharedWeights {
  const codebook = new Float32Array(shared.length + 1);
  codebook.set(shared, 1);
  const codeOf = new Map(Array.from(codebook, (value, code) => [value, code]));
  const codes = bits > 8 ? new Uint16Array(count) : new Uint8Array(count);
  const encoder = new RelativeIndexEncoder(values, width, count);
  let done = 0;
  for (const part of encoder.values()) for (const value of part) codes[done++] = codeOf.get(value)!;
  return { bits, width, codebook, codes, gaps: encoder.gaps };
}

/** Bytes of codebook, codes and gaps, without space between. */
export const sharedBytes = ({ codebook, codes, bits, width }: SharedWeights): number =>
  4 * codebook.length + relativeIndexBytes(codes.length, width, bits);

/** The same with codes and gaps in Huffman codes (Deep Compression, section 4). */
export const huffmanCodedBytes = ({ codebook, codes, gaps, width }: SharedWeights): number =>
  4 * codebook.length + huffmanBytes(tally(codes, codebook.length)) + huffmanBytes(tally(gaps, 2 ** width));

function tally(numbers: Uint8Array | Uint16Array, kinds: number): Uint32Array {
  const counts = new Uint32Array(kinds);
  for (let i = 0; i < numbers.length; i++) counts[numbers[i]]++;
  return counts;
}
