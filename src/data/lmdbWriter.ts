/** A key and its value, as bytes. */
export interface LmdbRecord {
  key: Uint8Array;
  value: Uint8Array;
}

const pageSize = 4096;
const pageHeader = 16;
const nodeHeader = 8;
const branch = 0x01;
const leaf = 0x02;
const meta = 0x08;
/** The tree's first page: two metas come before it. */
const firstPage = 2;
/** liblmdb puts at the least two nodes on a page, each with its offset; a larger value would get pages of its own. */
const largestNode = ((pageSize - pageHeader) / 2 - 2) & ~1;
const noPage = 0xffffffffffffffffn;
const nothing = new Uint8Array();

/** What a page holds: in a leaf `low` is the value's length, in a branch `low` and `high` are the child's number. */
interface Node {
  key: Uint8Array;
  low: number;
  high: number;
  value: Uint8Array;
}

interface Tree {
  depth: number;
  branchPages: number;
  leafPages: number;
  entries: number;
  root: number;
}

/**
 * The bytes of an LMDB `data.mdb` (data version 1, 64-bit little-endian; the layout is written down in lmdb.ts) with
 * these records in its main database, as one finished transaction: the leaves one after the other, then each level
 * of branches. The real liblmdb reads and extends it. For small databases: all of it is held in memory.
 * @param records in ascending order of their keys (compared as bytes), no key twice
 * @throws RangeError when they are not, or when a record exceeds half a page (2,038 bytes with its header)
 */
export function lmdbFile(records: Iterable<LmdbRecord>): Uint8Array {
  const pages: Uint8Array[] = [];
  let entries = 0;
  const leafNodes = function* (): Generator<Node> {
    let previous: Uint8Array | undefined;
    for (const { key, value } of records) {
      if (previous && Buffer.compare(previous, key) >= 0) throw new RangeError('the keys must ascend');
      previous = key;
      entries++;
      yield { key, low: value.length, high: 0, value };
    }
  };
  let children = addLevel(pages, leaf, leafNodes());
  const leafPages = children.length;
  let depth = leafPages > 0 ? 1 : 0;
  for (; children.length > 1; depth++) children = addLevel(pages, branch, children);

  const file = new Uint8Array((firstPage + pages.length) * pageSize);
  // Two metas take turns; the one of the newer transaction, here the second, is in force.
  writeMeta(file, 0, { depth: 0, branchPages: 0, leafPages: 0, entries: 0, root: -1 });
  const root = children.length > 0 ? children[0].low : -1;
  writeMeta(file, 1, { depth, branchPages: pages.length - leafPages, leafPages, entries, root });
  for (const [i, page] of pages.entries()) file.set(page, (firstPage + i) * pageSize);
  return file;
}

/** Fills new pages with nodes, in order, and returns the nodes that lead to these pages from the level above. */
function addLevel(pages: Uint8Array[], flags: number, nodes: Iterable<Node>): Node[] {
  const parents: Node[] = [];
  let page = new DataView(new ArrayBuffer(0));
  let [lower, upper] = [0, 0];
  for (const node of nodes) {
    let bytes = encode(node);
    if (lower + 2 + bytes.length > upper) {
      page = new DataView(new ArrayBuffer(pageSize));
      const number = firstPage + pages.push(new Uint8Array(page.buffer)) - 1;
      page.setBigUint64(0, BigInt(number), true);
      page.setUint16(10, flags, true);
      [lower, upper] = [pageHeader, pageSize];
      parents.push({ key: node.key, low: number, high: 0, value: nothing });
      // The leftmost key of a branch stands for all that is smaller and is left out.
      if (flags === branch) bytes = encode({ ...node, key: nothing });
    }
    upper -= bytes.length;
    new Uint8Array(page.buffer).set(bytes, upper);
    page.setUint16(lower, upper, true);
    lower += 2;
    page.setUint16(12, lower, true);
    page.setUint16(14, upper, true);
  }
  return parents;
}

/** A node as it stands on a page, of an even length. */
function encode({ key, low, high, value }: Node): Uint8Array {
  const length = nodeHeader + key.length + value.length;
  if (length > largestNode) throw new RangeError(`a record of ${length} bytes does not fit half a page`);
  const bytes = new Uint8Array(length + (length & 1));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, low, true);
  view.setUint16(4, high, true);
  view.setUint16(6, key.length, true);
  bytes.set(key, nodeHeader);
  bytes.set(value, nodeHeader + key.length);
  return bytes;
}

/** Meta page `number`, of the transaction with the same number. */
function writeMeta(file: Uint8Array, number: 0 | 1, tree: Tree): void {
  const view = new DataView(file.buffer, number * pageSize, pageSize);
  const freeListFlags = 0x08; // its keys are integers
  view.setBigUint64(0, BigInt(number), true);
  view.setUint16(10, meta, true);
  view.setUint32(16, 0xbeefc0de, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(32, BigInt(file.length), true);
  view.setUint32(40, pageSize, true);
  view.setUint16(44, freeListFlags, true);
  view.setBigUint64(80, noPage, true);
  view.setUint16(94, tree.depth, true);
  view.setBigUint64(96, BigInt(tree.branchPages), true);
  view.setBigUint64(104, BigInt(tree.leafPages), true);
  view.setBigUint64(120, BigInt(tree.entries), true);
  view.setBigUint64(128, tree.root < 0 ? noPage : BigInt(tree.root), true);
  view.setBigUint64(136, BigInt(file.length / pageSize - 1), true);
  view.setBigUint64(144, BigInt(number), true);
}
