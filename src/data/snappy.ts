import { CaffeError } from '../caffe/errors';
import { phrase } from '../phrase';

/**
 * Decompresses one block of Snappy's raw format (google/snappy, format_description.txt): the decompressed size as a
 * varint, then literals and copies of what was written before.
 *
 * @throws CaffeError when the block is damaged, or its size is more than a block so long can come to
 */
export function decompressSnappy(block: Uint8Array): Uint8Array {
  let at = 0;
  const byte = () => {
    if (at >= block.length) throw new CaffeError(phrase`the compressed block ends too early`);
    return block[at++];
  };

  let size = 0;
  for (let shift = 0; ; shift += 7) {
    const part = byte();
    size += (part & 0x7f) * 2 ** shift;
    if (part < 0x80) break;
    if (shift === 28) throw new CaffeError(phrase`the size of the compressed block is no number`);
  }
  // The shortest element, a copy of two bytes, writes eleven; the densest, one of three, sixty-four.
  if (size > block.length * 22)
    throw new CaffeError(phrase`a block of ${block.length} bytes cannot hold ${size}`);

  const output = new Uint8Array(size);
  let end = 0;
  while (at < block.length) {
    const tag = byte();
    let length: number;
    let distance = 0;
    if ((tag & 3) === 0) {
      length = (tag >> 2) + 1;
      if (length > 60) {
        const bytes = length - 60;
        length = 1;
        for (let i = 0; i < bytes; i++) length += byte() * 2 ** (8 * i);
      }
      if (at + length > block.length)
        throw new CaffeError(phrase`a literal reaches beyond the compressed block`);
    } else if ((tag & 3) === 1) {
      length = ((tag >> 2) & 7) + 4;
      distance = ((tag >> 5) << 8) + byte();
    } else {
      length = (tag >> 2) + 1;
      distance = byte() + byte() * 0x100;
      if ((tag & 3) === 3) distance += byte() * 0x10000 + byte() * 0x1000000;
    }
    if (end + length > size) throw new CaffeError(phrase`the compressed block writes more than its size`);

    if ((tag & 3) === 0) {
      output.set(block.subarray(at, at + length), end);
      at += length;
      end += length;
      continue;
    }
    if (distance === 0 || distance > end) throw new CaffeError(phrase`a copy starts before the block`);
    if (distance >= length) {
      output.copyWithin(end, end - distance, end - distance + length);
      end += length;
    } else {
      // The copy overlaps what it writes: a pattern that repeats.
      for (const stop = end + length; end < stop; end++) output[end] = output[end - distance];
    }
  }
  if (end !== size) throw new CaffeError(phrase`the compressed block writes less than its size`);
  return output;
}
