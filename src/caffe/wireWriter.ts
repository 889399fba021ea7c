import type { OutputFile } from './atomicWrite';
import { WireType } from './wireReader';

/** The values of a blob in memory: `data` holds the product of `shape` floats, the last axis running fastest. */
export interface BlobData {
  shape: readonly number[];
  data: Float32Array;
}

/** Bytes that one step of writing holds. */
const stepBytes = 1 << 20;
const encoder = new TextEncoder();

export function concatBytes(...parts: Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/** A whole number as a protobuf varint; below zero as the ten bytes of its 64-bit complement. */
export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  if (value < 0) {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
  } else {
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
    bytes.push(rest);
  }
  return Uint8Array.from(bytes);
}

/** The tag and the length of a length-delimited field whose value of `length` bytes follows. */
export const fieldHeader = (field: number, length: number): Uint8Array =>
  concatBytes(varint(field * 8 + WireType.bytes), varint(length));

export const varintField = (field: number, value: number): Uint8Array =>
  concatBytes(varint(field * 8 + WireType.varint), varint(value));

export function bytesField(field: number, ...value: Uint8Array[]): Uint8Array {
  const body = concatBytes(...value);
  return concatBytes(fieldHeader(field, body.length), body);
}

export const textField = (field: number, value: string): Uint8Array =>
  bytesField(field, encoder.encode(value));

/** What comes before and after the values of a BlobProto, and its length in all. */
export interface BlobFrame {
  head: Uint8Array;
  tail: Uint8Array;
  length: number;
}

/** The BlobProto of `shape` (`data` packed in field 5, `shape` in field 7, in the order Caffe writes them). */
export function blobFrame(shape: readonly number[]): BlobFrame {
  const dataLength = 4 * shape.reduce((a, b) => a * b, 1);
  const head = dataLength > 0 ? fieldHeader(5, dataLength) : new Uint8Array(0);
  const tail = bytesField(7, shape.length > 0 ? bytesField(1, ...shape.map(varint)) : new Uint8Array(0));
  return { head, tail, length: head.length + dataLength + tail.length };
}

/** Appends floats as they are in memory (every platform of Node is little-endian), in bounded steps. */
export async function writeFloats(file: OutputFile, values: Float32Array): Promise<void> {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  for (let done = 0; done < bytes.length; done += stepBytes) {
    await file.write(bytes.subarray(done, done + stepBytes));
  }
}

/** Appends the field `field` with a BlobProto of `blob`. */
export async function writeBlobField(
  file: OutputFile,
  field: number,
  { shape, data }: BlobData,
): Promise<void> {
  const frame = blobFrame(shape);
  checkCount(shape, data);
  await file.write(concatBytes(fieldHeader(field, frame.length), frame.head));
  await writeFloats(file, data);
  await file.write(frame.tail);
}

/** Throws unless `data` holds as many values as `shape` says: writing them would make a damaged file. */
export function checkCount(shape: readonly number[], data: Float32Array): void {
  const count = shape.reduce((a, b) => a * b, 1);
  if (count !== data.length) throw new RangeError(`${data.length} values do not fill ${shape.join('x')}`);
}
