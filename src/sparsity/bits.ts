import { CaffeError } from '../caffe/errors';
import { phrase } from '../phrase';

/**
 * Packs numbers of `width` (1..16) bits without space between, the first in the lowest bits: what
 * numpy.unpackbits(bitorder='little') takes apart.
 */
export function packBits(numbers: Uint8Array | Uint16Array, width: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((numbers.length * width) / 8));
  let packed = 0;
  let held = 0;
  let bits = 0;
  for (let i = 0; i < numbers.length; i++) {
    held |= numbers[i] << bits;
    bits += width;
    if (bits < 16) continue;
    bytes[packed++] = held;
    bytes[packed++] = held >>> 8;
    held >>>= 16;
    bits -= 16;
  }
  for (; bits > 0; bits -= 8) {
    bytes[packed++] = held;
    held >>>= 8;
  }
  return bytes;
}

/**
 * The reverse of {@link packBits}; `count` numbers are read.
 * @throws CaffeError when there are fewer
 */
export function unpackBits(packed: Uint8Array, width: number, count: number): Uint8Array | Uint16Array {
  if (packed.length < Math.ceil((count * width) / 8)) {
    throw new CaffeError(phrase`${packed.length} bytes hold fewer than ${count} numbers of ${width} bits`);
  }
  const numbers = width > 8 ? new Uint16Array(count) : new Uint8Array(count);
  const mask = 2 ** width - 1;
  let next = 0;
  let held = 0;
  let bits = 0;
  for (let i = 0; i < count; i++) {
    for (; bits < width; bits += 8) held |= packed[next++] << bits;
    numbers[i] = held & mask;
    held >>>= width;
    bits -= width;
  }
  return numbers;
}
