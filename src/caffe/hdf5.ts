import { promisify } from 'node:util';
import { inflate } from 'node:zlib';
import { phrase, type Phrase } from '../phrase';
import type { ByteSource } from './byteSource';
import { CaffeError } from './errors';

/**
 * A reader of HDF5 files by position, after the "HDF5 File Format Specification, version 3.0". It covers what
 * Caffe, h5py and the HDF5 library write by default (superblocks 0 to 3, both kinds of object headers, groups as
 * symbol tables or compact links, contiguous, compact and B-tree-chunked data, deflate and shuffle), tells where
 * the bytes of a dataset are, and can neither loop nor take more memory than what is asked for.
 */
export interface Hdf5Object {
  kind: 'group' | 'dataset';
  /** Where its header begins in the file, in bytes. */
  byteOffset: number;
}

export interface Hdf5Group extends Hdf5Object {
  kind: 'group';
  /** Names and header addresses of what it holds, in the order of the file (by name). */
  links: ReadonlyMap<string, number>;
}

export interface Hdf5Type {
  class: 'integer' | 'float' | 'string' | 'other';
  /** Bytes of one element. */
  size: number;
  littleEndian: boolean;
  signed: boolean;
}

/** Where the elements of a dataset are. */
export type Hdf5Layout =
  | { kind: 'contiguous'; offset: number; length: number }
  | { kind: 'chunked'; chunkShape: number[]; index: number; filters: Hdf5Filter[] };

export interface Hdf5Filter {
  id: number;
  values: number[];
}

export interface Hdf5Dataset extends Hdf5Object {
  kind: 'dataset';
  shape: number[];
  type: Hdf5Type;
  layout: Hdf5Layout;
}

export const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
const pageLength = 1 << 14;
const mostPages = 64;
const mostMessages = 10_000;
/** Reads that the structure of a file may take: a net of thousands of blobs takes some ten thousand. */
const mostReads = 500_000;
/** The largest structure that is believed. */
const mostStructureBytes = 1 << 24;
const mostLinks = 100_000;
const mostAxes = 32;
/** More than any blob has, and what one array can hold everywhere. */
const mostUnpackedBytes = 2 ** 32 - 1;
const longestName = 1 << 16;
const inflateBytes = promisify(inflate);

/** True when the file begins like HDF5 (a user block may come before: 512 bytes, 1024, ...). */
export async function isHdf5(source: ByteSource): Promise<boolean> {
  return (await findSignature(source)) !== undefined;
}

async function findSignature(source: ByteSource): Promise<number | undefined> {
  for (let at = 0; at + 8 <= source.size && at <= 1 << 20; at = at === 0 ? 512 : at * 2) {
    const bytes = await source.read(at, 8);
    if (signature.every((byte, i) => bytes[i] === byte)) return at;
  }
  return undefined;
}

export class Hdf5File {
  private readonly pages = new Map<number, Uint8Array>();
  private reads = 0;
  private base = 0;
  /** Where the file ends by its own account. */
  private end = 0;
  private offsetSize = 8;
  private lengthSize = 8;
  private rootOffset = 0;

  private constructor(private readonly source: ByteSource) {}

  /** @throws CaffeError when the file is no HDF5, or its superblock is damaged */
  static async open(source: ByteSource): Promise<Hdf5File> {
    const file = new Hdf5File(source);
    await file.readSuperblock();
    return file;
  }

  root(): Promise<Hdf5Group> {
    return this.group(this.rootOffset);
  }

  /** The object that `name` means in `group`, or undefined. */
  async child(group: Hdf5Group, name: string): Promise<Hdf5Group | Hdf5Dataset | undefined> {
    const offset = group.links.get(name);
    return offset === undefined ? undefined : this.object(offset);
  }

  /** The object whose header is at `offset`. */
  async object(offset: number): Promise<Hdf5Group | Hdf5Dataset> {
    const messages = await this.readHeader(offset);
    return messages.some(({ type }) => type === MessageType.dataspace)
      ? this.toDataset(offset, messages)
      : this.toGroup(offset, messages);
  }

  /** All elements of a dataset as they are stored, in the order of its shape. */
  async readDataset(dataset: Hdf5Dataset): Promise<Uint8Array> {
    const { layout } = dataset;
    return layout.kind === 'contiguous'
      ? this.source.read(layout.offset, layout.length)
      : this.readChunks(dataset, layout);
  }

  private async group(offset: number): Promise<Hdf5Group> {
    const object = await this.object(offset);
    if (object.kind !== 'group') throw this.error(phrase`a group is expected here`, offset);
    return object;
  }

  private async readSuperblock(): Promise<void> {
    const at = await findSignature(this.source);
    if (at === undefined) throw this.error(phrase`this is no HDF5 file`, 0);
    const cursor = await this.cursor(at + 8, 1);
    const version = cursor.uint(1);
    if (version <= 1) {
      const sizes = await this.cursor(at + 13, 2);
      this.setSizes(sizes.uint(1), sizes.uint(1), at);
      const start = at + (version === 0 ? 24 : 28);
      const fields = await this.cursor(start, 6 * this.offsetSize);
      this.base = this.believeAddress(fields.uint(this.offsetSize), start);
      fields.skip(this.offsetSize);
      this.end = fields.uint(this.offsetSize);
      fields.skip(2 * this.offsetSize);
      this.rootOffset = this.address(fields, start);
    } else if (version <= 3) {
      const sizes = await this.cursor(at + 9, 2);
      this.setSizes(sizes.uint(1), sizes.uint(1), at);
      const fields = await this.cursor(at + 12, 4 * this.offsetSize);
      this.base = this.believeAddress(fields.uint(this.offsetSize), at + 12);
      fields.skip(this.offsetSize);
      this.end = fields.uint(this.offsetSize);
      this.rootOffset = this.address(fields, at + 12);
    } else {
      throw this.error(phrase`version ${version} of the HDF5 superblock is not known`, at + 8);
    }
  }

  private setSizes(offsetSize: number, lengthSize: number, at: number): void {
    const known = [2, 4, 8];
    if (!known.includes(offsetSize) || !known.includes(lengthSize)) {
      throw this.error(
        phrase`offsets of ${offsetSize} and lengths of ${lengthSize} bytes are not possible`,
        at,
      );
    }
    this.offsetSize = offsetSize;
    this.lengthSize = lengthSize;
  }

  /** All messages of an object header, continuation blocks included. */
  private async readHeader(offset: number): Promise<Message[]> {
    const start = await this.cursor(offset, 16);
    const messages: Message[] = [];
    const blocks: { offset: number; length: number }[] = [];
    const seen = new Set<number>();
    let version = 1;
    let trackOrder = false;
    if (start.signature('OHDR')) {
      version = 2;
      start.skip(1);
      const flags = start.uint(1);
      trackOrder = (flags & 4) !== 0;
      const sizeAt = 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
      const sizeSize = 1 << (flags & 3);
      const size = (await this.cursor(offset + sizeAt, sizeSize)).uint(sizeSize);
      blocks.push({ offset: offset + sizeAt + sizeSize, length: size });
    } else {
      if (start.uint(1) !== 1) throw this.error(phrase`an object header is expected here`, offset);
      start.skip(7);
      blocks.push({ offset: offset + 16, length: start.uint(4) });
    }
    for (let block; (block = blocks.pop());) {
      if (seen.has(block.offset))
        throw this.error(phrase`an object header continues in itself`, block.offset);
      seen.add(block.offset);
      const cursor = await this.cursor(block.offset, block.length);
      const headerLength = version === 1 ? 8 : trackOrder ? 6 : 4;
      while (cursor.left >= headerLength) {
        const at = block.offset + cursor.position;
        const type = cursor.uint(version === 1 ? 2 : 1);
        const length = cursor.uint(2);
        const flags = cursor.uint(1);
        cursor.skip(version === 1 ? 3 : trackOrder ? 2 : 0);
        if (length > cursor.left) {
          throw this.error(phrase`a message of ${length} bytes does not fit its header`, at);
        }
        const body = cursor.take(length);
        if (type === MessageType.continuation) {
          const next = this.address(body, at);
          const nextLength = body.uint(this.lengthSize);
          // A continuation block of version 2 begins with its signature and ends with a checksum.
          if (version === 1) blocks.push({ offset: next, length: nextLength });
          else blocks.push({ offset: next + 4, length: nextLength - 8 });
        } else if (type !== MessageType.nil) {
          messages.push({ type, flags, body, offset: at });
          if (messages.length > mostMessages) throw this.error(phrase`an object header does not end`, at);
        }
      }
    }
    return messages;
  }

  private async toGroup(offset: number, messages: Message[]): Promise<Hdf5Group> {
    const links = new Map<string, number>();
    for (const { type, body, offset: at } of messages) {
      if (type === MessageType.symbolTable) {
        const tree = this.address(body, at);
        await this.readSymbols(tree, this.address(body, at), links);
      } else if (type === MessageType.link) {
        this.readLink(body, at, links);
      } else if (type === MessageType.linkInfo) {
        body.skip(1);
        body.skip(body.uint(1) & 1 ? 8 : 0);
        if (body.uint(this.offsetSize) !== undefinedAddress(this.offsetSize)) {
          throw this.unsupported(phrase`the group keeps its links in a fractal heap`, at);
        }
      }
    }
    return { kind: 'group', byteOffset: offset, links };
  }

  /** The links of a group in a B-tree of symbol table nodes, their names in a local heap. */
  private async readSymbols(tree: number, heap: number, links: Map<string, number>): Promise<void> {
    const heapHeader = await this.cursor(heap, 8 + 2 * this.lengthSize + this.offsetSize);
    if (!heapHeader.signature('HEAP')) throw this.error(phrase`a heap of names is expected here`, heap);
    heapHeader.skip(4);
    const heapLength = heapHeader.uint(this.lengthSize);
    heapHeader.skip(this.lengthSize);
    const heapData = this.address(heapHeader, heap);
    for await (const { child } of this.treeEntries(tree, 0, this.lengthSize)) {
      const header = await this.cursor(child, 8);
      if (!header.signature('SNOD')) throw this.error(phrase`a symbol table node is expected here`, child);
      header.skip(2);
      const count = header.uint(2);
      const entryLength = 2 * this.offsetSize + 24;
      const entries = await this.cursor(child + 8, count * entryLength);
      for (let i = 0; i < count; i++) {
        const at = child + 8 + i * entryLength;
        const nameOffset = entries.uint(this.offsetSize);
        const object = this.address(entries, at);
        entries.skip(24);
        if (nameOffset >= heapLength) throw this.error(phrase`a name lies outside its heap`, at);
        const name = await this.readName(heapData + nameOffset, heapLength - nameOffset);
        this.addLink(links, name, object, at);
      }
    }
  }

  private readLink(body: Cursor, at: number, links: Map<string, number>): void {
    body.skip(1);
    const flags = body.uint(1);
    const linkType = flags & 8 ? body.uint(1) : 0;
    body.skip((flags & 4 ? 8 : 0) + (flags & 0x10 ? 1 : 0));
    const name = body.text(body.uint(1 << (flags & 3)));
    // Soft and external links are not followed: Caffe writes none.
    if (linkType === 0) this.addLink(links, name, this.address(body, at), at);
  }

  private addLink(links: Map<string, number>, name: string, object: number, at: number): void {
    links.set(name, object);
    if (links.size > mostLinks) throw this.error(phrase`a group has more than ${mostLinks} members`, at);
  }

  /** The leaves of a version 1 B-tree, in order; `keyLength` bytes of key come before each. */
  private async *treeEntries(
    root: number,
    type: 0 | 1,
    keyLength: number,
  ): AsyncGenerator<{ key: Cursor; child: number }, void, void> {
    const seen = new Set<number>();
    const stack = [{ node: root, level: -1 }];
    for (let top; (top = stack.pop());) {
      const { node, level } = top;
      if (seen.has(node)) throw this.error(phrase`a B-tree contains itself`, node);
      seen.add(node);
      const headerLength = 8 + 2 * this.offsetSize;
      const header = await this.cursor(node, headerLength);
      if (!header.signature('TREE')) throw this.error(phrase`a B-tree is expected here`, node);
      if (header.uint(1) !== type) throw this.error(phrase`a B-tree of another type is expected here`, node);
      const nodeLevel = header.uint(1);
      if (level >= 0 && nodeLevel !== level) throw this.error(phrase`a B-tree has a wrong level`, node);
      const count = header.uint(2);
      const entries = await this.cursor(node + headerLength, count * (keyLength + this.offsetSize));
      const children: { node: number; level: number }[] = [];
      for (let i = 0; i < count; i++) {
        const key = entries.take(keyLength);
        const child = this.address(entries, node);
        if (nodeLevel === 0) yield { key, child };
        else children.push({ node: child, level: nodeLevel - 1 });
      }
      stack.push(...children.reverse());
    }
  }

  private toDataset(offset: number, messages: Message[]): Hdf5Dataset {
    let shape: number[] | undefined;
    let type: Hdf5Type | undefined;
    let layout: Hdf5Layout | undefined;
    let filters: Hdf5Filter[] = [];
    for (const message of messages) {
      const { body, offset: at } = message;
      if (message.flags & 2 && message.type in describingMessages) {
        throw this.unsupported(phrase`the dataset shares its description with others`, at);
      }
      if (message.type === MessageType.dataspace) shape = this.readShape(body, at);
      else if (message.type === MessageType.datatype) type = readType(body);
      else if (message.type === MessageType.filters) filters = this.readFilters(body, at);
      else if (message.type === MessageType.layout) layout = this.readLayout(body, at);
    }
    if (!shape || !type || !layout) throw this.error(phrase`the header of a dataset is incomplete`, offset);
    const bytes = shape.reduce((a, b) => a * b, type.size);
    if (layout.kind === 'chunked') {
      if (layout.chunkShape.length !== shape.length) {
        throw this.error(phrase`the chunks of a dataset have another rank than it has`, offset);
      }
      layout = { ...layout, filters };
    } else if (layout.length < bytes && layout.length > 0) {
      throw this.error(
        phrase`the dataset ${shape.join('x')} needs ${bytes} bytes, but has ${layout.length}`,
        offset,
      );
    } else {
      layout = { ...layout, length: Math.min(layout.length, bytes) };
    }
    return { kind: 'dataset', byteOffset: offset, shape, type, layout };
  }

  private readShape(body: Cursor, at: number): number[] {
    const version = body.uint(1);
    const rank = body.uint(1);
    if (version < 1 || version > 2)
      throw this.error(phrase`version ${version} of a dataspace is not known`, at);
    if (rank > mostAxes) throw this.error(phrase`${rank} axes are not possible`, at);
    body.skip(version === 1 ? 6 : 2);
    return Array.from({ length: rank }, () => body.uint(this.lengthSize));
  }

  private readLayout(body: Cursor, at: number): Hdf5Layout {
    const version = body.uint(1);
    let layoutClass: number;
    if (version === 1 || version === 2) {
      const rank = body.uint(1);
      layoutClass = body.uint(1);
      body.skip(5);
      if (layoutClass === 1 || layoutClass === 2) {
        const address = body.uint(this.offsetSize);
        const dims = Array.from({ length: rank }, () => body.uint(4));
        if (layoutClass === 2) return this.chunked(address, dims, at);
        return this.contiguous(
          address,
          dims.reduce((a, b) => a * b, 1),
          at,
        );
      }
      body.skip(4 * rank);
      return this.compact(body, body.uint(4));
    }
    if (version > 4) throw this.error(phrase`version ${version} of a data layout is not known`, at);
    layoutClass = body.uint(1);
    if (layoutClass === 0) return this.compact(body, body.uint(2));
    if (layoutClass === 1) {
      const address = body.uint(this.offsetSize);
      return this.contiguous(address, body.uint(this.lengthSize), at);
    }
    if (layoutClass === 2 && version === 3) {
      const rank = body.uint(1);
      const address = body.uint(this.offsetSize);
      // The last "axis" is the size of an element.
      return this.chunked(
        address,
        Array.from({ length: rank - 1 }, () => body.uint(4)),
        at,
      );
    }
    throw this.unsupported(phrase`the dataset is stored in a way that Caffe does not use`, at);
  }

  private compact(body: Cursor, length: number): Hdf5Layout {
    return { kind: 'contiguous', offset: body.start + body.position, length };
  }

  private contiguous(address: number, length: number, at: number): Hdf5Layout {
    // Space that was never written has no address: HDF5 then gives the fill value.
    if (address === undefinedAddress(this.offsetSize)) return { kind: 'contiguous', offset: 0, length: 0 };
    const offset = this.believeAddress(address + this.base, at);
    if (length > this.source.size - offset) {
      throw this.error(
        phrase`the dataset is ${length} bytes long, but the file ends after ${this.source.size - offset} of them`,
        at,
      );
    }
    return { kind: 'contiguous', offset, length };
  }

  private chunked(address: number, chunkShape: number[], at: number): Hdf5Layout {
    if (address === undefinedAddress(this.offsetSize)) return { kind: 'contiguous', offset: 0, length: 0 };
    if (chunkShape.some((dim) => dim === 0)) throw this.error(phrase`a chunk has no extent`, at);
    return {
      kind: 'chunked',
      chunkShape,
      index: this.believeAddress(address + this.base, at),
      filters: [],
    };
  }

  private readFilters(body: Cursor, at: number): Hdf5Filter[] {
    const version = body.uint(1);
    const count = body.uint(1);
    if (version < 1 || version > 2) throw this.error(phrase`version ${version} of filters is not known`, at);
    if (version === 1) body.skip(6);
    return Array.from({ length: count }, () => {
      const id = body.uint(2);
      const nameLength = version === 1 || id >= 256 ? body.uint(2) : 0;
      body.skip(2);
      const valueCount = body.uint(2);
      body.skip(version === 1 ? Math.ceil(nameLength / 8) * 8 : nameLength);
      const values = Array.from({ length: valueCount }, () => body.uint(4));
      if (version === 1 && valueCount % 2 === 1) body.skip(4);
      return { id, values };
    });
  }

  private async readChunks(
    { shape, type, byteOffset }: Hdf5Dataset,
    { chunkShape, index, filters }: Extract<Hdf5Layout, { kind: 'chunked' }>,
  ): Promise<Uint8Array> {
    const rank = shape.length;
    const total = shape.reduce((a, b) => a * b, type.size);
    const chunkLength = chunkShape.reduce((a, b) => a * b, type.size);
    // A byte of deflate gives 1032 at most, so that a small file cannot claim a large dataset.
    const mostBytes = Math.min(this.source.size * 1032 + (1 << 20), mostUnpackedBytes);
    if (Math.max(total, chunkLength) > mostBytes) {
      throw this.error(phrase`the dataset ${shape.join('x')} is larger than the file can hold`, byteOffset);
    }
    const result = new Uint8Array(total);
    let left = shape.reduce((product, dim, axis) => product * Math.ceil(dim / chunkShape[axis]), 1);
    for await (const { key, child } of this.treeEntries(index, 1, 8 + 8 * (rank + 1))) {
      if (left-- === 0) throw this.error(phrase`the dataset has more chunks than it needs`, index);
      const storedLength = key.uint(4);
      const filterMask = key.uint(4);
      const origin = Array.from({ length: rank }, () => key.uint(8));
      let bytes = await this.source.read(child, storedLength);
      for (let i = filters.length - 1; i >= 0; i--) {
        if (!(filterMask & (1 << i))) bytes = await this.unfilter(filters[i], bytes, chunkLength, child);
      }
      if (bytes.length !== chunkLength) {
        throw this.error(phrase`a chunk has ${bytes.length} bytes instead of ${chunkLength}`, child);
      }
      copyChunk(result, shape, bytes, chunkShape, origin, type.size);
    }
    return result;
  }

  private async unfilter(
    { id, values }: Hdf5Filter,
    bytes: Uint8Array,
    chunkLength: number,
    at: number,
  ): Promise<Uint8Array> {
    switch (id) {
      case 1:
        return inflateBytes(bytes, { maxOutputLength: Math.max(1, chunkLength + 4) }).catch(
          (cause: unknown) => {
            throw new CaffeError(phrase`a compressed chunk cannot be unpacked`, {
              file: this.source.name,
              byteOffset: at,
              cause,
            });
          },
        );
      case 2:
        return unshuffle(bytes, values[0] ?? 1);
      case 3:
        return bytes.subarray(0, Math.max(0, bytes.length - 4));
      default:
        throw this.unsupported(phrase`the dataset is compressed by filter ${id}`, at);
    }
  }

  /** A name in a heap, up to its zero byte. */
  private async readName(offset: number, limit: number): Promise<string> {
    for (let length = 64; ; length *= 4) {
      const bytes = await this.bytes(offset, Math.min(length, limit, this.source.size - offset));
      const end = bytes.indexOf(0);
      if (end >= 0) return decoder.decode(bytes.subarray(0, end));
      if (bytes.length < length || length > longestName)
        throw this.error(phrase`a name does not end`, offset);
    }
  }

  /** An address as an offset in the file. */
  private address(cursor: Cursor, at: number): number {
    return this.believeAddress(cursor.uint(this.offsetSize) + this.base, at);
  }

  private believeAddress(offset: number, at: number): number {
    const { size } = this.source;
    if (offset <= size) return offset;
    const outside = phrase`the address ${offset} lies outside the file`;
    throw this.error(
      this.end > size
        ? phrase`${outside}, which is cut short: ${size} of its ${this.end} bytes are there`
        : outside,
      at,
    );
  }

  private async cursor(offset: number, length: number): Promise<Cursor> {
    return new Cursor(this.source.name, offset, await this.bytes(offset, length));
  }

  /** Bytes of the structure (not of the data), through a few cached pages. */
  private async bytes(offset: number, length: number): Promise<Uint8Array> {
    // A file can be made so that its small structures refer to each other over and over.
    if (++this.reads > mostReads) throw this.error(phrase`the structure of the file has no end`, offset);
    if (length > mostStructureBytes) throw this.error(phrase`a structure claims ${length} bytes`, offset);
    const page = Math.floor(offset / pageLength);
    const within = offset - page * pageLength;
    if (within + length > pageLength || offset + length > this.source.size) {
      return this.source.read(offset, length);
    }
    let bytes = this.pages.get(page);
    if (!bytes) {
      const start = page * pageLength;
      bytes = await this.source.read(start, Math.min(pageLength, this.source.size - start));
      if (this.pages.size >= mostPages) this.pages.delete(this.pages.keys().next().value!);
      this.pages.set(page, bytes);
    }
    return bytes.subarray(within, within + length);
  }

  private error(what: Phrase, byteOffset: number): CaffeError {
    return new CaffeError(what, { file: this.source.name, byteOffset });
  }

  private unsupported(what: Phrase, byteOffset: number): CaffeError {
    return new CaffeError(what, {
      file: this.source.name,
      byteOffset,
      advice: phrase`Rewrite the file with "h5repack -l CONTI -f NONE" of the HDF5 tools`,
    });
  }
}

export const MessageType = {
  nil: 0x0000,
  dataspace: 0x0001,
  linkInfo: 0x0002,
  datatype: 0x0003,
  link: 0x0006,
  layout: 0x0008,
  filters: 0x000b,
  continuation: 0x0010,
  symbolTable: 0x0011,
} as const;
const describingMessages: Readonly<Record<number, true>> = {
  [MessageType.dataspace]: true,
  [MessageType.datatype]: true,
  [MessageType.filters]: true,
};

interface Message {
  type: number;
  flags: number;
  body: Cursor;
  offset: number;
}

const decoder = new TextDecoder();
const undefinedAddress = (size: number) => 256 ** size - 1;

/** Reads little-endian fields one after the other; passing the end is the file's fault. */
class Cursor {
  position = 0;

  constructor(
    private readonly file: string,
    /** Where the bytes begin in the file. */
    readonly start: number,
    private readonly bytes: Uint8Array,
  ) {}

  get left(): number {
    return this.bytes.length - this.position;
  }

  skip(length: number): void {
    this.need(length);
    this.position += length;
  }

  uint(size: number): number {
    this.need(size);
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + this.bytes[this.position + i];
    this.position += size;
    return value;
  }

  text(length: number): string {
    this.need(length);
    this.position += length;
    return decoder.decode(this.bytes.subarray(this.position - length, this.position));
  }

  /** Whether the four bytes here are `expected`; if so, moves past them. */
  signature(expected: string): boolean {
    if (this.left < 4) return false;
    for (let i = 0; i < 4; i++) if (this.bytes[this.position + i] !== expected.charCodeAt(i)) return false;
    this.position += 4;
    return true;
  }

  take(length: number): Cursor {
    this.need(length);
    const part = new Cursor(
      this.file,
      this.start + this.position,
      this.bytes.subarray(this.position, this.position + length),
    );
    this.position += length;
    return part;
  }

  private need(length: number): void {
    if (length > this.left) {
      throw new CaffeError(phrase`a structure of the HDF5 file is cut off`, {
        file: this.file,
        byteOffset: this.start + this.position,
      });
    }
  }
}

function readType(body: Cursor): Hdf5Type {
  const typeClass = body.uint(1) & 0x0f;
  const bits = body.uint(3);
  const size = body.uint(4);
  const names = { 0: 'integer', 1: 'float', 3: 'string' } as const;
  return {
    class: names[typeClass as 0 | 1 | 3] ?? 'other',
    size,
    littleEndian: (bits & 1) === 0,
    signed: (bits & 8) !== 0,
  };
}

/** Undoes the shuffle filter: all first bytes of the elements, then all second bytes, ... */
function unshuffle(bytes: Uint8Array, size: number): Uint8Array {
  if (size <= 1) return bytes;
  const result = bytes.slice();
  const count = Math.floor(bytes.length / size);
  for (let k = 0; k < size; k++) {
    for (let i = 0; i < count; i++) result[i * size + k] = bytes[k * count + i];
  }
  return result;
}

/** Copies the part of a chunk that lies inside the dataset, row by row. */
function copyChunk(
  target: Uint8Array,
  shape: readonly number[],
  chunk: Uint8Array,
  chunkShape: readonly number[],
  origin: readonly number[],
  size: number,
): void {
  const extent = shape.map((dim, axis) => Math.min(chunkShape[axis], dim - origin[axis]));
  if (extent.some((n) => n <= 0)) return;
  const rank = shape.length;
  const row = (extent[rank - 1] ?? 1) * size;
  const position = new Array<number>(Math.max(0, rank - 1)).fill(0);
  for (;;) {
    let from = 0;
    let to = 0;
    for (let axis = 0; axis < rank; axis++) {
      const at = axis < rank - 1 ? position[axis] : 0;
      from = from * chunkShape[axis] + at;
      to = to * shape[axis] + origin[axis] + at;
    }
    target.set(chunk.subarray(from * size, from * size + row), to * size);
    let axis = rank - 2;
    while (axis >= 0 && ++position[axis] === extent[axis]) position[axis--] = 0;
    if (axis < 0) return;
  }
}
