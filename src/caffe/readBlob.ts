import type { ByteSource } from './byteSource';
import { bytesPerValue, decodeValue } from './encoding';
import { Hdf5File, type Hdf5Dataset } from './hdf5';
import type { ModelBlob, Segment } from './model';

/** Bytes that one step of chunked reading holds: what stays in the processor's cache until it is used. */
const chunkBytes = 1 << 20;

/** True for values that are floats back to back, so that their bytes are what a Float32Array holds. */
export const isPlain = (blob: ModelBlob, segment: Segment): boolean =>
  blob.encoding === 'float' && segment.stride === 4;

/**
 * All values of a blob, in the order of its shape (the last axis runs fastest). Floats are not converted, and
 * not copied where their place in memory allows: the result may share memory with `source`, so do not write to it.
 */
export async function readBlob(source: ByteSource, blob: ModelBlob): Promise<Float32Array> {
  if (blob.chunked) return readChunked(source, blob, blob.chunked);
  const [first] = blob.segments;
  if (blob.segments.length === 1 && isPlain(blob, first)) {
    const bytes = await source.read(first.offset, first.count * 4);
    return bytes.byteOffset % 4 === 0
      ? new Float32Array(bytes.buffer, bytes.byteOffset, first.count)
      : new Float32Array(bytes.slice().buffer);
  }
  const values = new Float32Array(blob.count);
  for await (const { start, chunk } of blobChunks(source, blob)) values.set(chunk, start);
  return values;
}

/** Part of a blob: the values from `start` on. */
export interface BlobChunk {
  start: number;
  /** The caller's, to change as well, until the next chunk is asked for: its memory is used again. */
  chunk: Float32Array;
}

/** The values of a blob in order, chunk by chunk, with a working set of a megabyte or two. */
export async function* blobChunks(
  source: ByteSource,
  blob: ModelBlob,
): AsyncGenerator<BlobChunk, void, void> {
  if (blob.chunked) {
    yield { start: 0, chunk: await readChunked(source, blob, blob.chunked) };
    return;
  }
  const size = bytesPerValue[blob.encoding];
  const decode = decodeValue[blob.encoding];
  const buffer = new ArrayBuffer(Math.min(chunkBytes, largestSpan(blob)));
  let floats: Float32Array | undefined;
  let start = 0;
  for (const segment of blob.segments) {
    const perChunk = Math.max(1, Math.floor((buffer.byteLength - size) / segment.stride) + 1);
    for (let done = 0; done < segment.count; done += perChunk) {
      const count = Math.min(perChunk, segment.count - done);
      const bytes = new Uint8Array(buffer, 0, (count - 1) * segment.stride + size);
      await source.readInto(bytes, segment.offset + done * segment.stride);
      let chunk: Float32Array;
      if (isPlain(blob, segment)) {
        chunk = new Float32Array(buffer, 0, count);
      } else {
        if (!floats || floats.length < count) floats = new Float32Array(count);
        const view = new DataView(buffer);
        for (let i = 0; i < count; i++) floats[i] = decode(view, i * segment.stride);
        chunk = floats.subarray(0, count);
      }
      yield { start: start + done, chunk };
    }
    start += segment.count;
  }
}

async function readChunked(source: ByteSource, blob: ModelBlob, dataset: Hdf5Dataset): Promise<Float32Array> {
  const bytes = await (await Hdf5File.open(source)).readDataset(dataset);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = bytesPerValue[blob.encoding];
  const decode = decodeValue[blob.encoding];
  return Float32Array.from({ length: blob.count }, (_, i) => decode(view, i * size));
}

const largestSpan = (blob: ModelBlob) =>
  blob.segments.reduce((most, { count, stride }) => Math.max(most, count * stride), 8);
