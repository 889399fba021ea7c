import type { ByteSource } from './byteSource';
import { bytesPerValue, decodeValue } from './encoding';
import { Hdf5File, type Hdf5Dataset } from './hdf5';
import type { ModelBlob, Segment } from './model';

/** Bytes that one step of chunked reading holds: what stays in the processor's cache until it is used. */
const chunkBytes = 1 << 20;
/** Floats of a chunk at most. */
export const chunkFloats = chunkBytes / 4;

/** True for values that are floats back to back, so that their bytes are what a Float32Array holds. */
export const isPlain = (blob: ModelBlob, segment: Segment): boolean =>
  blob.encoding === 'float' && segment.stride === 4;

/**
 * Reads the values of a blob into `values`, which has their length. Each part is shown to `look` as it comes, while the
 * next is read and it still is in the processor's cache.
 */
export async function loadBlob(
  source: ByteSource,
  blob: ModelBlob,
  values: Float32Array,
  look: (part: Float32Array) => void,
): Promise<void> {
  const [first] = blob.segments;
  if (blob.segments.length !== 1 || !isPlain(blob, first)) {
    for await (const { start, chunk } of blobChunks(source, blob)) {
      values.set(chunk, start);
      look(chunk);
    }
    return;
  }
  // Floats as they are: each part is read where it belongs.
  const read = (start: number) => {
    const part = values.subarray(start, start + chunkFloats);
    const reading = source.readInto(
      new Uint8Array(part.buffer, part.byteOffset, part.byteLength),
      first.offset + 4 * start,
    );
    reading.catch(() => undefined);
    return reading;
  };
  let reading = read(0);
  try {
    for (let start = 0; start < values.length; start += chunkFloats) {
      await reading;
      if (start + chunkFloats < values.length) reading = read(start + chunkFloats);
      look(values.subarray(start, start + chunkFloats));
    }
  } finally {
    // Nothing may be written to the values any more once this has failed.
    await reading.catch(() => undefined);
  }
}

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

/**
 * The values of a blob in order, chunk by chunk, with a bounded working set of a few MB. The next chunk is read while
 * the consumer works on one.
 * @param memory what the chunks are read into; at least twice {@link chunkFloats}
 */
export async function* blobChunks(
  source: ByteSource,
  blob: ModelBlob,
  memory?: Float32Array,
): AsyncGenerator<BlobChunk, void, void> {
  if (blob.chunked) {
    yield { start: 0, chunk: await readChunked(source, blob, blob.chunked) };
    return;
  }
  const size = bytesPerValue[blob.encoding];
  const decode = decodeValue[blob.encoding];
  const length = Math.min(chunkBytes, largestSpan(blob));
  const buffers: Uint8Array[] = [];
  const bufferOf = (turn: number) =>
    (buffers[turn] ??= memory
      ? new Uint8Array(memory.buffer, memory.byteOffset + turn * chunkBytes, length)
      : new Uint8Array(length));
  let floats: Float32Array | undefined;

  const read = ({ segment, done, count }: Piece, buffer: Uint8Array) => {
    const reading = source.readInto(
      buffer.subarray(0, (count - 1) * segment.stride + size),
      segment.offset + done * segment.stride,
    );
    // It may fail while the consumer works: whoever asks for the chunk gets the error, not the process.
    reading.catch(() => undefined);
    return reading;
  };
  const pieces = piecesOf(blob, length, size);
  let reading: Promise<unknown> = Promise.resolve();
  try {
    let next = pieces.next();
    if (!next.done) reading = read(next.value, bufferOf(0));
    for (let turn = 0; !next.done; turn = 1 - turn) {
      const { segment, start, count } = next.value;
      await reading;
      const { buffer, byteOffset } = bufferOf(turn);
      next = pieces.next();
      if (!next.done) reading = read(next.value, bufferOf(1 - turn));
      let chunk: Float32Array;
      if (isPlain(blob, segment)) {
        chunk = new Float32Array(buffer, byteOffset, count);
      } else {
        if (!floats || floats.length < count) floats = new Float32Array(count);
        const view = new DataView(buffer, byteOffset);
        for (let i = 0; i < count; i++) floats[i] = decode(view, i * segment.stride);
        chunk = floats.subarray(0, count);
      }
      yield { start, chunk };
    }
  } finally {
    // A consumer that stops early leaves a read under way; its error is nobody's concern then.
    await reading.catch(() => undefined);
  }
}

/** What is read at a time: `count` values of a segment from its value `done` on; in the blob they begin at `start`. */
interface Piece {
  segment: Segment;
  done: number;
  count: number;
  start: number;
}

function* piecesOf(blob: ModelBlob, length: number, size: number): Generator<Piece, void> {
  let first = 0;
  for (const segment of blob.segments) {
    const most = Math.max(1, Math.floor((length - size) / segment.stride) + 1);
    for (let done = 0; done < segment.count; done += most) {
      yield { segment, done, count: Math.min(most, segment.count - done), start: first + done };
    }
    first += segment.count;
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
