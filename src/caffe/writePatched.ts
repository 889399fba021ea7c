import { phrase } from '../phrase';
import { atomicWrite, type AtomicWriteOptions, type OutputFile } from './atomicWrite';
import type { ByteSource } from './byteSource';
import { bytesPerValue, decodeValue, encodeValue } from './encoding';
import { CaffeError } from './errors';
import type { ModelBlob, Segment } from './model';
import { isPlain } from './readBlob';

/** New values for (a part of) a blob. */
export interface Patch {
  blob: ModelBlob;
  /** Index of the first value that is replaced; 0 if left out. */
  start?: number;
  values: Float32Array;
}

export interface WritePatchedOptions extends AtomicWriteOptions {
  /** Called with the share of the file that is written, 0..1. */
  onProgress?: (fraction: number) => void;
}

/** Bytes that one step of copying holds: more would not stay in the processor's cache, less costs calls. */
const stepBytes = 1 << 20;

interface Range {
  start: number;
  end: number;
}

/**
 * Writes the bytes of `source` to `target` with the values of `patches` in place of the old ones; nothing else
 * changes. The patches are asked for one by one, so that they can be made as they are needed: the working set is
 * one patch and a few MB. In an encoding other than float, a value that reads as the same float as its
 * patch keeps its bits, so that doubles are not rounded where nothing changes.
 * @throws CaffeError as `atomicWrite` does, and when the source changes meanwhile; no part of the output stays then
 */
export const writePatched = (
  source: ByteSource,
  target: string,
  patches: Iterable<Patch> | AsyncIterable<Patch>,
  { onProgress, ...options }: WritePatchedOptions = {},
): Promise<void> =>
  atomicWrite(
    target,
    async (file) => {
      const writer = new PatchedWriter(source, file, onProgress);
      for await (const patch of patches) await writer.write(patch);
      await writer.finish();
    },
    options,
  );

/** The same for a file that is written together with others: its patches come one by one, then `finish`. */
export class PatchedWriter {
  private readonly written: Range[] = [];
  private done = 0;

  constructor(
    private readonly source: ByteSource,
    private readonly file: OutputFile,
    private readonly onProgress?: WritePatchedOptions['onProgress'],
  ) {}

  /** The values are to stay as they are until this is done. */
  async write(patch: Patch): Promise<void> {
    this.written.push(...(await writePatch(this.source, this.file, patch, this.advance)));
  }

  /** Writes all that no patch has replaced. */
  async finish(): Promise<void> {
    const { source, file, written, advance } = this;
    for (const gap of gaps(written, source.size)) await copy(source, file, gap, advance);
    await source.verify();
  }

  private readonly advance = (bytes: number): void => {
    this.done += bytes;
    this.onProgress?.(this.source.size === 0 ? 1 : this.done / this.source.size);
  };
}

/** Writes one patch and returns the byte ranges that are now complete. */
async function writePatch(
  source: ByteSource,
  file: OutputFile,
  { blob, start = 0, values }: Patch,
  advance: (bytes: number) => void,
): Promise<Range[]> {
  if (start < 0 || start + values.length > blob.count) {
    throw new RangeError(`${values.length} values from ${start} on do not fit a blob of ${blob.count}`);
  }
  if (blob.chunked) {
    throw new CaffeError(phrase`the values are stored in chunks, which cannot be changed in place`, {
      file: source.name,
      byteOffset: blob.byteOffset,
      advice: phrase`Rewrite the model with "h5repack -l CONTI -f NONE" of the HDF5 tools first`,
    });
  }
  const ranges: Range[] = [];
  let first = 0;
  for (const segment of blob.segments) {
    // The values of the segment are first..first+count-1 of the blob; those of the patch start at `start`.
    const from = Math.max(first, start);
    const to = Math.min(first + segment.count, start + values.length);
    if (from < to) {
      const part = values.subarray(from - start, to - start);
      ranges.push(
        isPlain(blob, segment)
          ? await writePlain(file, segment.offset + (from - first) * 4, part, advance)
          : await writeConverted(source, file, blob, segment, from - first, part, advance),
      );
    }
    first += segment.count;
  }
  return ranges;
}

async function writePlain(
  file: OutputFile,
  offset: number,
  values: Float32Array,
  advance: (bytes: number) => void,
): Promise<Range> {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  for (let done = 0; done < bytes.length; done += stepBytes) {
    const step = bytes.subarray(done, done + stepBytes);
    await file.writeAt(step, offset + done);
    advance(step.length);
  }
  return { start: offset, end: offset + bytes.length };
}

/** Values that are not plain floats: the old bytes are read, changed where a value differs, and written. */
async function writeConverted(
  source: ByteSource,
  file: OutputFile,
  blob: ModelBlob,
  segment: Segment,
  first: number,
  values: Float32Array,
  advance: (bytes: number) => void,
): Promise<Range> {
  const size = bytesPerValue[blob.encoding];
  const decode = decodeValue[blob.encoding];
  const encode = encodeValue[blob.encoding];
  const perStep = Math.floor(stepBytes / segment.stride);
  const start = segment.offset + first * segment.stride;
  for (let done = 0; done < values.length; done += perStep) {
    const count = Math.min(perStep, values.length - done);
    const isLast = done + count === values.length;
    // All of the stride but for the last value, so that the ranges of the steps join.
    const bytes = new Uint8Array(isLast ? (count - 1) * segment.stride + size : count * segment.stride);
    await source.readInto(bytes, start + done * segment.stride);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < count; i++) {
      const value = values[done + i];
      if (!Object.is(Math.fround(decode(view, i * segment.stride)), value)) {
        encode(view, i * segment.stride, value);
      }
    }
    await file.writeAt(bytes, start + done * segment.stride);
    advance(bytes.length);
  }
  return { start, end: start + (values.length - 1) * segment.stride + size };
}

/** What `written` leaves of 0..size. */
function gaps(written: Range[], size: number): Range[] {
  const result: Range[] = [];
  let end = 0;
  for (const range of written.sort((a, b) => a.start - b.start)) {
    if (range.start < end) throw new Error(`two patches overlap at byte ${range.start}`);
    if (range.start > end) result.push({ start: end, end: range.start });
    end = range.end;
  }
  if (end < size) result.push({ start: end, end: size });
  return result;
}

async function copy(
  source: ByteSource,
  file: OutputFile,
  { start, end }: Range,
  advance: (bytes: number) => void,
): Promise<void> {
  const buffer = new Uint8Array(Math.min(stepBytes, end - start));
  for (let at = start; at < end; at += buffer.length) {
    const step = buffer.subarray(0, Math.min(buffer.length, end - at));
    await source.readInto(step, at);
    await file.writeAt(step, at);
    advance(step.length);
  }
}
