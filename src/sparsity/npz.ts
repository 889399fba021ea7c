import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';
import type { OutputFile } from '../caffe/atomicWrite';
import type { ByteSource } from '../caffe/byteSource';
import { CaffeError, reasonOf } from '../caffe/errors';
import { phrase, type Phrase } from '../phrase';
import { bytesOfArray, decodeNpy, npyHeader, type NpyArray } from './npy';

const inflate = promisify(inflateRaw);
const big = 0xffffffff;
/** Bytes that the directory of an .npz takes at most: a hundred thousand layers have less. */
const longestDirectory = 1 << 28;
/** Bytes of an array that are not its data; deflate may add some to what it cannot compress. */
const longestHeader = 1 << 17;
/** Bytes written at a time. */
const stepBytes = 1 << 20;
/** 1980-01-01, the first date a zip can tell: the same arrays give the same bytes. */
const dosDate = 0x21;

/**
 * Writes an .npz (a zip of .npy arrays) that `numpy.load` opens without pickle. Arrays are stored as they are: what
 * sparse values and gaps lose to deflate is little against its time. Zip64 where sizes need it.
 */
export class NpzWriter {
  private readonly directory: Uint8Array[] = [];

  constructor(private readonly file: OutputFile) {}

  async add(name: string, array: NpyArray, shape: readonly number[] = [array.length]): Promise<void> {
    await this.addParts(name, array, shape, [array]);
  }

  /**
   * Adds an array that comes part by part, so that it never is in memory as a whole.
   * @param like an array of the same type
   */
  async addParts(
    name: string,
    like: NpyArray,
    shape: readonly number[],
    parts: Iterable<NpyArray>,
  ): Promise<void> {
    const header = npyHeader(like, shape);
    const size = header.length + shape.reduce((product, dim) => product * dim, like.BYTES_PER_ELEMENT);
    const offset = this.file.position;
    const nameBytes = new TextEncoder().encode(`${name}.npy`);
    // Small parts are gathered, and a small array is written at once: each write is a call to the system.
    const before = entryHeader(nameBytes, 0, size);
    const gathered = new Uint8Array(before.length + Math.min(stepBytes, size));
    gathered.set(before);
    gathered.set(header, before.length);
    let length = before.length + header.length;
    let written = 0;
    let crc = 0;
    const write = async (bytes: Uint8Array, isLast: boolean) => {
      const isFirst = written === 0;
      crc = crc32(isFirst ? bytes.subarray(before.length) : bytes, crc);
      if (isFirst && isLast) bytes.set(entryHeader(nameBytes, crc, size));
      await this.file.write(bytes);
      written += bytes.length;
      if (isLast && !isFirst) await this.file.writeAt(entryHeader(nameBytes, crc, size), offset);
    };
    for (const part of parts) {
      const bytes = bytesOfArray(part);
      for (let done = 0; done < bytes.length;) {
        if (length === gathered.length) {
          await write(gathered, false);
          length = 0;
        }
        const step = bytes.subarray(done, done + gathered.length - length);
        gathered.set(step, length);
        length += step.length;
        done += step.length;
      }
    }
    await write(gathered.subarray(0, length), true);
    if (written !== before.length + size) {
      throw new CaffeError(phrase`the parts of "${name}" do not fill the shape ${shape.join('×')}`);
    }
    this.directory.push(entryHeader(nameBytes, crc, size, offset));
  }

  /** Closes the zip with its directory. */
  async finish(): Promise<void> {
    const start = this.file.position;
    const length = this.directory.reduce((sum, entry) => sum + entry.length, 0);
    const directory = new Uint8Array(length);
    let at = 0;
    for (const entry of this.directory) {
      directory.set(entry, at);
      at += entry.length;
    }
    await this.file.write(directory);
    const count = this.directory.length;
    if (start >= big || count >= 0xffff) {
      const end64 = new DataView(new ArrayBuffer(76));
      end64.setUint32(0, 0x06064b50, true);
      end64.setBigUint64(4, 44n, true);
      end64.setUint16(12, 45, true);
      end64.setUint16(14, 45, true);
      end64.setBigUint64(24, BigInt(count), true);
      end64.setBigUint64(32, BigInt(count), true);
      end64.setBigUint64(40, BigInt(length), true);
      end64.setBigUint64(48, BigInt(start), true);
      end64.setUint32(56, 0x07064b50, true);
      end64.setBigUint64(64, BigInt(start + length), true);
      end64.setUint32(72, 1, true);
      await this.file.write(new Uint8Array(end64.buffer));
    }
    const end = new DataView(new ArrayBuffer(22));
    end.setUint32(0, 0x06054b50, true);
    end.setUint16(8, Math.min(count, 0xffff), true);
    end.setUint16(10, Math.min(count, 0xffff), true);
    end.setUint32(12, length, true);
    end.setUint32(16, Math.min(start, big), true);
    await this.file.write(new Uint8Array(end.buffer));
  }
}

/** The header before an entry's data or, with an `offset`, its line in the directory (APPNOTE 4.3.7 and 4.3.12). */
function entryHeader(name: Uint8Array, crc: number, size: number, offset?: number): Uint8Array {
  const inDirectory = offset !== undefined;
  const bigSize = size >= big;
  const bigOffset = inDirectory && offset >= big;
  const wide = [...(bigSize ? [size, size] : []), ...(bigOffset ? [offset] : [])];
  const extraLength = wide.length > 0 ? 4 + 8 * wide.length : 0;
  const fixed = inDirectory ? 46 : 30;
  const bytes = new Uint8Array(fixed + name.length + extraLength);
  const view = new DataView(bytes.buffer);
  const version = wide.length > 0 ? 45 : 20;
  let at = 0;
  const u16 = (value: number) => view.setUint16((at += 2) - 2, value, true);
  const u32 = (value: number) => view.setUint32((at += 4) - 4, value, true);
  u32(inDirectory ? 0x02014b50 : 0x04034b50);
  if (inDirectory) u16(version);
  u16(version);
  u16(0x800); // the name is UTF-8
  u16(0); // stored
  u16(0);
  u16(dosDate);
  u32(crc);
  u32(bigSize ? big : size);
  u32(bigSize ? big : size);
  u16(name.length);
  u16(extraLength);
  if (inDirectory) {
    at += 10;
    u32(bigOffset ? big : offset);
  }
  bytes.set(name, at);
  at += name.length;
  if (wide.length > 0) {
    u16(1);
    u16(8 * wide.length);
    for (const value of wide) view.setBigUint64((at += 8) - 8, BigInt(value), true);
  }
  return bytes;
}

interface NpzEntry {
  method: number;
  compressed: number;
  size: number;
  offset: number;
}

/** An opened .npz: its names are known, the arrays are read one by one. */
export class Npz {
  private constructor(
    private readonly source: ByteSource,
    private readonly entries: ReadonlyMap<string, NpzEntry>,
  ) {}

  /** @throws CaffeError when the file is no zip, or its directory does not fit the file */
  static async open(source: ByteSource): Promise<Npz> {
    const fail = (what: Phrase, byteOffset?: number) =>
      new CaffeError(what, {
        file: source.name,
        byteOffset,
        advice: phrase`It may be truncated; make it again`,
      });
    const tailStart = Math.max(0, source.size - 22 - 0xffff);
    const tail = view(await source.read(tailStart, source.size - tailStart));
    let end = tail.byteLength - 22;
    while (end >= 0 && tail.getUint32(end, true) !== 0x06054b50) end--;
    if (end < 0) throw fail(phrase`this is no .npz file: the directory at its end is missing`);
    let count = tail.getUint16(end + 10, true);
    let length = tail.getUint32(end + 12, true);
    let start = tail.getUint32(end + 16, true);
    if (end >= 20 && tail.getUint32(end - 20, true) === 0x07064b50) {
      const at = Number(tail.getBigUint64(end - 12, true));
      const end64 = view(await source.read(at, 56));
      count = Number(end64.getBigUint64(32, true));
      length = Number(end64.getBigUint64(40, true));
      start = Number(end64.getBigUint64(48, true));
    }
    if (length > longestDirectory)
      throw fail(phrase`the directory of the .npz says it has ${length} bytes`, start);
    if (start + length > source.size)
      throw fail(phrase`the directory of the .npz lies outside the file`, start);
    const directory = view(await source.read(start, length));
    const entries = new Map<string, NpzEntry>();
    let at = 0;
    for (let i = 0; i < count; i++) {
      if (at + 46 > length || directory.getUint32(at, true) !== 0x02014b50) {
        throw fail(phrase`the directory of the .npz is damaged`, start + at);
      }
      const nameLength = directory.getUint16(at + 28, true);
      const extraLength = directory.getUint16(at + 30, true);
      const next = at + 46 + nameLength + extraLength + directory.getUint16(at + 32, true);
      if (next > length) throw fail(phrase`the directory of the .npz is damaged`, start + at);
      const name = new TextDecoder().decode(
        new Uint8Array(directory.buffer, directory.byteOffset + at + 46, nameLength),
      );
      const entry = {
        method: directory.getUint16(at + 10, true),
        compressed: directory.getUint32(at + 20, true),
        size: directory.getUint32(at + 24, true),
        offset: directory.getUint32(at + 42, true),
      };
      readWide(directory, at + 46 + nameLength, extraLength, entry);
      entries.set(name.replace(/\.npy$/, ''), entry);
      at = next;
    }
    return new Npz(source, entries);
  }

  get names(): string[] {
    return [...this.entries.keys()];
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  /**
   * @param mostBytes what the data of the array may take; a few compressed bytes can claim gigabytes
   * @throws CaffeError when there is no such array, it claims more, or it cannot be read
   */
  async read(name: string, mostBytes: number): Promise<{ shape: number[]; array: NpyArray }> {
    const entry = this.entries.get(name);
    if (!entry) throw new CaffeError(phrase`there is no array "${name}"`, { file: this.source.name });
    const place = { file: this.source.name, byteOffset: entry.offset };
    if (Math.max(entry.size, entry.compressed) > mostBytes + longestHeader) {
      throw new CaffeError(
        phrase`the array "${name}" says it has ${entry.size} bytes, but no more than ${mostBytes} can be meant`,
        place,
      );
    }
    const local = view(await this.source.read(entry.offset, 30));
    if (local.getUint32(0, true) !== 0x04034b50)
      throw new CaffeError(phrase`the array "${name}" is not where the directory says`, place);
    const start = entry.offset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
    const stored = await this.source.read(start, entry.compressed);
    try {
      if (entry.method === 0) return decodeNpy(stored);
      if (entry.method !== 8)
        throw new CaffeError(phrase`compression method ${entry.method} is not known here`);
      return decodeNpy(await inflate(stored, { maxOutputLength: Math.max(1, entry.size) }));
    } catch (cause) {
      throw new CaffeError(phrase`the array "${name}" cannot be read: ${reasonOf(cause)}`, {
        ...place,
        cause,
      });
    }
  }
}

/** Takes sizes and offset from the zip64 field where the short ones are full. */
function readWide(directory: DataView, start: number, length: number, entry: NpzEntry): void {
  for (let at = start; at + 4 <= start + length; at += 4 + directory.getUint16(at + 2, true)) {
    if (directory.getUint16(at, true) !== 1) continue;
    let field = at + 4;
    for (const key of ['size', 'compressed', 'offset'] as const) {
      if (entry[key] === big && field + 8 <= start + length) {
        entry[key] = Number(directory.getBigUint64(field, true));
        field += 8;
      }
    }
  }
}

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
