import { phrase, type Phrase } from '../phrase';
import type { ByteSource } from './byteSource';
import { CaffeError } from './errors';

/** How the value of a field is laid out (protobuf encoding, "wire types"). */
export const WireType = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const;

/** One field of a message; the reader stands at the first byte of its value. */
export interface Field {
  number: number;
  wireType: number;
  /** Where the tag begins, in bytes from the start of the file. */
  tagOffset: number;
  /** Where the value begins (after the length of a length-delimited field). */
  offset: number;
  /** Bytes of the value; 0 for a varint, whose end is not known before it is read. */
  length: number;
}

const windowLength = 1 << 16;
/** Length of a window behind values that were skipped: most likely the next ones are skipped too. */
const shortLength = 1 << 12;
/** The longest tag (5 bytes of 32 bits) and length (10) together, with room to spare. */
const longestHeader = 20;
const deepestGroup = 100;

/**
 * Walks the fields of protobuf messages in a file through a small window, without ever holding a value: one
 * skips the floats by moving the position. Everything that is wrong is a CaffeError with the byte where it is.
 */
export class WireReader {
  position = 0;
  private window: Uint8Array = new Uint8Array(0);
  private windowStart = 0;

  constructor(private readonly source: ByteSource) {}

  /** The next field of the message that ends at `end`, or undefined at its end. */
  async next(end: number): Promise<Field | undefined> {
    if (this.position >= end) return undefined;
    if (!this.has(Math.min(longestHeader, end - this.position))) await this.fill();
    const tagOffset = this.position;
    const tag = this.varint(end);
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (number < 1 || number > 0x1fffffff) throw this.error(phrase`${number} is no field number`, tagOffset);
    let length = 0;
    switch (wireType) {
      case WireType.varint:
      case WireType.startGroup:
        break;
      case WireType.fixed64:
        length = 8;
        break;
      case WireType.fixed32:
        length = 4;
        break;
      case WireType.bytes:
        length = this.varint(end);
        break;
      default:
        throw this.error(phrase`field ${number} has the impossible wire type ${wireType}`, tagOffset);
    }
    return { number, wireType, tagOffset, offset: this.position, length };
  }

  /** Throws unless the value of `field` lies inside the message that ends at `end`. */
  checkLength(field: Field, end: number): void {
    if (field.length > end - field.offset) {
      throw this.error(
        phrase`field ${field.number} says it is ${field.length} bytes long, but only ${end - field.offset} are left`,
        field.tagOffset,
      );
    }
  }

  /** Moves past the value of `field`, whatever it is. */
  async skip(field: Field, end: number): Promise<void> {
    if (field.wireType === WireType.varint) {
      await this.readVarint(end);
    } else if (field.wireType === WireType.startGroup) {
      await this.skipGroup(field, end);
    } else {
      this.checkLength(field, end);
      this.position = field.offset + field.length;
    }
  }

  /** A varint as an unsigned number; exact up to 2^53. */
  async readVarint(end: number): Promise<number> {
    if (!this.has(Math.min(longestHeader, end - this.position))) await this.fill();
    return this.varint(end);
  }

  /** A varint as the signed 64-bit integer that it stands for; exact up to 2^53. */
  async readInt64(end: number): Promise<number> {
    const start = this.position;
    const value = await this.readVarint(end);
    if (value <= Number.MAX_SAFE_INTEGER) return value;
    const bytes = this.window.subarray(start - this.windowStart, this.position - this.windowStart);
    const exact = bytes.reduceRight((sum, byte) => (sum << 7n) | BigInt(byte & 0x7f), 0n);
    return Number(BigInt.asIntN(64, exact));
  }

  /** The bytes of a length-delimited field, for short ones only: `limit` is the most that is believed. */
  async readBytes(field: Field, end: number, limit: number): Promise<Uint8Array> {
    this.checkLength(field, end);
    if (field.length > limit) {
      throw this.error(
        phrase`field ${field.number} is ${field.length} bytes long, which no Caffe writes`,
        field.tagOffset,
      );
    }
    if (!this.has(field.length)) await this.fill(field.length);
    const start = this.position - this.windowStart;
    this.position += field.length;
    return this.window.subarray(start, start + field.length);
  }

  /**
   * Counts how many further fields with the same tag bytes and the same fixed `valueLength` follow the value at
   * `field` back to back, and moves past them all: unpacked floats are such a run.
   */
  async skipRun(field: Field, end: number): Promise<number> {
    const tagLength = field.offset - field.tagOffset;
    const stride = tagLength + field.length;
    this.checkLength(field, end);
    this.position = field.tagOffset;
    if (!this.has(tagLength)) await this.fill();
    const tag = this.window.slice(
      this.position - this.windowStart,
      this.position - this.windowStart + tagLength,
    );
    let count = 0;
    while (end - this.position >= stride) {
      if (!this.has(stride)) await this.fill();
      const windowEnd = Math.min(this.windowStart + this.window.length, end);
      let at = this.position - this.windowStart;
      const last = windowEnd - this.windowStart - stride;
      const before = count;
      run: for (; at <= last; at += stride, count++) {
        for (let i = 0; i < tagLength; i++) if (this.window[at + i] !== tag[i]) break run;
      }
      this.position = this.windowStart + at;
      if (at <= last || count === before) break;
    }
    return count;
  }

  error(what: Phrase, byteOffset: number): CaffeError {
    return new CaffeError(what, { file: this.source.name, byteOffset });
  }

  private async skipGroup(field: Field, end: number): Promise<void> {
    const open = [field.number];
    while (open.length > 0) {
      if (open.length > deepestGroup) throw this.error(phrase`groups are nested too deeply`, this.position);
      const inner = await this.nextInGroup(end);
      if (!inner) throw this.error(phrase`the group of field ${open.at(-1)!} does not end`, field.tagOffset);
      if (inner.wireType === WireType.endGroup) {
        if (open.pop() !== inner.number)
          throw this.error(phrase`a group ends that did not begin`, inner.tagOffset);
      } else if (inner.wireType === WireType.startGroup) {
        open.push(inner.number);
      } else {
        await this.skip(inner, end);
      }
    }
  }

  private async nextInGroup(end: number): Promise<Field | undefined> {
    if (this.position >= end) return undefined;
    if (!this.has(Math.min(longestHeader, end - this.position))) await this.fill();
    const tagOffset = this.position;
    const tag = this.varint(end);
    if (tag % 8 === WireType.endGroup) {
      return {
        number: Math.floor(tag / 8),
        wireType: WireType.endGroup,
        tagOffset,
        offset: this.position,
        length: 0,
      };
    }
    this.position = tagOffset;
    return this.next(end);
  }

  private has(length: number): boolean {
    return (
      this.position >= this.windowStart && this.position + length <= this.windowStart + this.window.length
    );
  }

  private async fill(least = 0): Promise<void> {
    const distance = this.position - this.windowStart;
    const wasSkipped = distance < 0 || distance > this.window.length;
    const length = Math.max(least, wasSkipped ? shortLength : windowLength);
    this.window = await this.source.read(
      this.position,
      Math.max(0, Math.min(length, this.source.size - this.position)),
    );
    this.windowStart = this.position;
  }

  /** Reads a varint from the window, which holds it whole or ends where the file does. */
  private varint(end: number): number {
    const start = this.position;
    const stop = Math.min(this.windowStart + this.window.length, end);
    let value = 0;
    let scale = 1;
    while (this.position < stop) {
      const byte = this.window[this.position++ - this.windowStart];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      if (this.position - start === 10) throw this.error(phrase`a number is longer than ten bytes`, start);
      scale *= 128;
    }
    throw this.error(phrase`the message ends in the middle of a number`, start);
  }
}
