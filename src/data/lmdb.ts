import type { ByteSource } from '../caffe/byteSource';
import { CaffeError } from '../caffe/errors';
import { phrase, type Phrase } from '../phrase';
import type { RecordDatabase } from './records';
import { WindowedSource } from './windows';

/*
 * The file of LMDB 0.9 (data version 1) on a 64-bit little-endian machine, as its mdb.c lays it out. Offsets are in
 * bytes from the start of a page.
 *
 * page    0 number u64, 8 pad u16, 10 flags u16, 12 lower u16, 14 upper u16; from 16 the offsets of its nodes, u16 each.
 *         An overflow page has its number of pages, u32, at 12 and the value from 16 on.
 * meta    16 magic u32, 20 version u32, 24 address u64, 32 map size u64, 40 and 88 the two databases (free list, main),
 *         136 last page u64, 144 transaction u64
 * db      0 page size (of the free list's) u32, 4 flags u16, 6 depth u16, 8 branch, 16 leaf, 24 overflow pages u64,
 *         32 entries u64, 40 root page u64
 * node    0 low u16, 2 high u16, 4 flags u16, 6 key size u16, 8 key, then in a leaf the value or, for a big one, its page
 */
const MAGIC = 0xbeefc0de;
const PAGE_HEADER = 16;
const META_SIZE = 152;
const MAIN_DB = 88;
/** liblmdb's own limit on the height of a tree (CURSOR_STACK). */
const MAX_DEPTH = 32;

const PAGE_BRANCH = 0x01;
const PAGE_LEAF = 0x02;
const PAGE_OVERFLOW = 0x04;
const NODE_BIG_VALUE = 0x01;
const NODE_SUB_DATABASE = 0x02;
const NODE_DUPLICATES = 0x04;
const NO_PAGE = 0xffffffffffffffffn;

interface Meta {
  pageSize: number;
  /** The number of the tree's top page; undefined for an empty database. */
  root: number | undefined;
  depth: number;
  entries: number;
  transaction: bigint;
}

/**
 * Opens the main database of an LMDB file (`data.mdb`) for reading, by positional reads alone: no lock is taken and
 * nothing is written. The newest complete transaction at the time of opening is what is read.
 *
 * A damaged or hostile file is refused when the damage is met: every page is visited once at the most and every offset
 * is checked, so that the work is bounded by the size of the file.
 */
export async function openLmdb(source: ByteSource): Promise<RecordDatabase> {
  const meta = await readMeta(source);
  return {
    count: meta.entries,
    values: (skip = 0) => new TreeWalk(source, meta).values(skip),
    close: () => source.close(),
  };
}

async function readMeta(source: ByteSource): Promise<Meta> {
  const file = source.name;
  const problem = (what: Phrase, byteOffset = 0) =>
    new CaffeError(what, {
      file,
      byteOffset,
      advice: phrase`Is it the data.mdb of a database that Caffe wrote?`,
    });
  if (source.size < 2 * META_SIZE)
    throw problem(phrase`This is no LMDB database: it has ${source.size} bytes`);

  const first = viewOf(await source.read(0, META_SIZE));
  if (first.getUint32(PAGE_HEADER, true) !== MAGIC) {
    if (first.getUint32(12, true) === MAGIC || first.getUint32(PAGE_HEADER, false) === MAGIC) {
      throw new CaffeError(
        phrase`This LMDB database was written on a 32-bit or big-endian machine; only 64-bit little-endian files can be read`,
        { file, advice: phrase`Copy it with mdb_dump there and mdb_load on a 64-bit machine` },
      );
    }
    throw problem(phrase`This is no LMDB database: its mark is missing`, PAGE_HEADER);
  }
  const pageSize = first.getUint32(40, true);
  if (pageSize < 512 || pageSize > 65536 || (pageSize & (pageSize - 1)) !== 0) {
    throw problem(phrase`The page size of the database cannot be ${pageSize}`, 40);
  }
  if (source.size < 2 * pageSize) throw problem(phrase`The LMDB database ends within its first two pages`);

  const second = viewOf(await source.read(pageSize, META_SIZE));
  const metas: Meta[] = [];
  for (const [view, start] of [
    [first, 0],
    [second, pageSize],
  ] as const) {
    if (view.getUint32(PAGE_HEADER, true) !== MAGIC) continue;
    const version = view.getUint32(20, true);
    if (version !== 1) {
      throw new CaffeError(
        phrase`This LMDB database has the data version ${version}; Caffe writes version 1`,
        {
          file,
          byteOffset: start + 20,
          advice: phrase`Write it again with liblmdb 0.9`,
        },
      );
    }
    const root = view.getBigUint64(MAIN_DB + 40, true);
    metas.push({
      pageSize,
      root: root === NO_PAGE ? undefined : toNumber(root),
      depth: view.getUint16(MAIN_DB + 6, true),
      entries: toNumber(view.getBigUint64(MAIN_DB + 32, true)),
      transaction: view.getBigUint64(144, true),
    });
  }
  return metas.reduce((newest, meta) => (meta.transaction > newest.transaction ? meta : newest));
}

/** One pass over the tree, from the smallest key to the largest. */
class TreeWalk {
  private readonly source: WindowedSource;
  private readonly file: string;
  private readonly pages: number;
  /** One bit for each page of the file: a tree that leads to a page twice has a cycle or is damaged. */
  private readonly visited: Uint8Array;

  constructor(
    source: ByteSource,
    private readonly meta: Meta,
  ) {
    this.file = source.name;
    this.source = new WindowedSource(source);
    this.pages = Math.floor(source.size / meta.pageSize);
    this.visited = new Uint8Array(Math.ceil(this.pages / 8));
  }

  async *values(skip: number): AsyncGenerator<Uint8Array, void> {
    if (this.meta.root === undefined) return;
    if (this.meta.depth < 1 || this.meta.depth > MAX_DEPTH) {
      throw this.damage(phrase`the tree cannot be ${this.meta.depth} pages deep`, 0);
    }
    let left = skip;
    for await (const leaf of this.leaves(this.meta.root, this.meta.depth)) {
      const nodes = this.nodes(leaf);
      if (left >= nodes.length) {
        left -= nodes.length;
        continue;
      }
      for (const node of nodes.slice(left)) yield await this.value(leaf, node);
      left = 0;
    }
  }

  private async *leaves(page: number, depth: number): AsyncGenerator<Page, void> {
    const content = await this.visit(page);
    if (depth === 1) {
      if ((content.flags & PAGE_LEAF) === 0) throw this.damage(phrase`a leaf was expected`, page);
      yield content;
      return;
    }
    if ((content.flags & PAGE_BRANCH) === 0) throw this.damage(phrase`a branch was expected`, page);
    for (const node of this.nodes(content)) {
      const { view } = content;
      const child =
        view.getUint16(node, true) +
        view.getUint16(node + 2, true) * 0x10000 +
        view.getUint16(node + 4, true) * 0x100000000;
      yield* this.leaves(child, depth - 1);
    }
  }

  /** Offsets of the page's nodes. */
  private nodes({ number, view }: Page): number[] {
    const lower = view.getUint16(12, true);
    if (lower < PAGE_HEADER || lower > this.meta.pageSize)
      throw this.damage(phrase`its bounds are wrong`, number);
    const offsets: number[] = [];
    for (let at = PAGE_HEADER; at + 2 <= lower; at += 2) {
      const offset = view.getUint16(at, true);
      if (offset < lower || offset + 8 > this.meta.pageSize) {
        throw this.damage(phrase`its entry ${offsets.length} lies outside of it`, number);
      }
      offsets.push(offset);
    }
    return offsets;
  }

  private async value({ number, view }: Page, node: number): Promise<Uint8Array> {
    const size = view.getUint16(node, true) + view.getUint16(node + 2, true) * 0x10000;
    const flags = view.getUint16(node + 4, true);
    const start = node + 8 + view.getUint16(node + 6, true);
    if ((flags & (NODE_SUB_DATABASE | NODE_DUPLICATES)) !== 0) {
      throw new CaffeError(
        phrase`The LMDB database holds named databases or several values under a key; Caffe writes neither`,
        {
          file: this.file,
          byteOffset: number * this.meta.pageSize + node,
        },
      );
    }
    const end = start + ((flags & NODE_BIG_VALUE) === 0 ? size : 8);
    if (end > this.meta.pageSize) throw this.damage(phrase`a value reaches beyond its end`, number);
    if ((flags & NODE_BIG_VALUE) === 0) return new Uint8Array(view.buffer, view.byteOffset + start, size);

    const first = toNumber(view.getBigUint64(start, true));
    const overflow = await this.visit(first);
    const count = overflow.view.getUint32(12, true);
    if ((overflow.flags & PAGE_OVERFLOW) === 0) throw this.damage(phrase`a large value was expected`, first);
    if (first + count > this.pages || PAGE_HEADER + size > count * this.meta.pageSize) {
      throw this.damage(phrase`a value of ${size} bytes does not fit its ${count} pages`, first);
    }
    for (let i = 1; i < count; i++) this.claim(first + i);
    return this.source.read(first * this.meta.pageSize + PAGE_HEADER, size);
  }

  private claim(page: number): void {
    const bit = 1 << (page & 7);
    if ((this.visited[page >> 3] & bit) !== 0) throw this.damage(phrase`the tree leads to it twice`, page);
    this.visited[page >> 3] |= bit;
  }

  private async visit(number: number): Promise<Page> {
    if (number < 2 || number >= this.pages) throw this.damage(phrase`the file does not reach to it`, number);
    this.claim(number);
    const view = viewOf(await this.source.read(number * this.meta.pageSize, this.meta.pageSize));
    return { number, view, flags: view.getUint16(10, true) };
  }

  private damage(what: Phrase, page: number): CaffeError {
    return new CaffeError(phrase`The LMDB database is damaged: page ${page}: ${what}`, {
      file: this.file,
      byteOffset: page * this.meta.pageSize,
      advice: phrase`Make it again from the images, or copy it anew`,
    });
  }
}

interface Page {
  number: number;
  flags: number;
  view: DataView<ArrayBufferLike>;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A 64-bit count or page number; what no file can reach becomes infinite and fails the next check of bounds. */
const toNumber = (value: bigint) => (value > BigInt(Number.MAX_SAFE_INTEGER) ? Infinity : Number(value));
