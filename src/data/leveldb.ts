import type { ByteSource } from '../caffe/byteSource';
import { CaffeError, reasonOf } from '../caffe/errors';
import { phrase, type Part } from '../phrase';
import { crc32c } from './crc32c';
import type { Folder } from './folder';
import type { RecordDatabase } from './records';
import { decompressSnappy } from './snappy';

/*
 * The files of LevelDB 1.x (its doc/impl.md, doc/log_format.md and doc/table_format.md):
 *
 * CURRENT         the name of the manifest
 * MANIFEST-n      a log of edits: which tables there are, and from which log file on records are still outside of them
 * n.ldb, n.sst    tables: blocks of sorted records, an index of the blocks, and a footer
 * n.log           records not yet in a table
 *
 * A record's key in a table ends with 8 bytes: type (1 value, 0 deleted) | sequence number << 8.
 */
const LOG_BLOCK = 32768;
const LOG_HEADER = 7;
const FOOTER = 48;
const TABLE_MAGIC = 0xdb4775248b80fb57n;
const BLOCK_TRAILER = 5;

const TYPE_DELETED = 0;
const TYPE_VALUE = 1;

/** What is read whole: a manifest or a log file; LevelDB cuts both at a fraction of this. */
const MAX_LOG_SIZE = 2 ** 30;

interface TableFile {
  level: number;
  number: number;
  smallest: Uint8Array;
}

interface Entry {
  key: Uint8Array;
  sequence: number;
  /** Undefined for a deleted record. */
  value: Uint8Array | undefined;
}

/**
 * Opens a LevelDB database for reading. Unlike LevelDB itself it takes no lock, replays the log files in memory and
 * writes nothing: the folder may be read-only, or belong to a database that is in use.
 *
 * Every block is checked against its CRC. Damage is reported with its file and byte when it is met; a log file that
 * was cut short ends where it is cut, as LevelDB takes it.
 */
export async function openLevelDb(folder: Folder): Promise<RecordDatabase> {
  const names = new Set(await folder.list());
  const manifest = await readManifest(folder, names);

  const fresh: Entry[] = [];
  const logs = [...names]
    .map((name) => ({ name, number: /^\d+\.log$/.test(name) ? parseInt(name, 10) : -1 }))
    .filter(({ number }) => number >= 0 && (number >= manifest.logNumber || number === manifest.previousLog))
    .sort((a, b) => a.number - b.number);
  for (const { name } of logs) fresh.push(...(await readLogFile(folder, name)));
  // Stable: of several records under a key the newest comes first, as in a table.
  fresh.sort((a, b) => compareBytes(a.key, b.key) || b.sequence - a.sequence);

  // The tables of a level above 0 do not overlap: sorted, they are one run. Each table of level 0 is a run of its own.
  const levels = new Map<number, TableFile[]>();
  const tableRuns: TableFile[][] = [];
  for (const table of manifest.tables) {
    const level = table.level === 0 ? undefined : levels.get(table.level);
    if (level !== undefined) {
      level.push(table);
      continue;
    }
    const run = [table];
    tableRuns.push(run);
    if (table.level > 0) levels.set(table.level, run);
  }
  for (const run of tableRuns) run.sort((a, b) => compareBytes(a.smallest, b.smallest));

  return {
    async *values(skip = 0) {
      let left = skip;
      const runs = [iterate(fresh), ...tableRuns.map((run) => readTables(run, folder, names))];
      for await (const value of merge(runs)) {
        if (left > 0) left--;
        else yield value;
      }
    },
    close: () => Promise.resolve(),
  };
}

/** Merges sorted runs; of several records under a key only the newest counts, and it may say that there is none. */
async function* merge(runs: readonly AsyncGenerator<Entry, void>[]): AsyncGenerator<Uint8Array, void> {
  const heads: { run: AsyncGenerator<Entry, void>; entry: Entry }[] = [];
  const advance = async (run: AsyncGenerator<Entry, void>) => {
    const next = await run.next();
    if (next.done !== true) heads.push({ run, entry: next.value });
  };
  try {
    for (const run of runs) await advance(run);
    let last: Uint8Array | undefined;
    while (heads.length > 0) {
      let best = 0;
      for (let i = 1; i < heads.length; i++) {
        const order = compareBytes(heads[i].entry.key, heads[best].entry.key);
        if (order < 0 || (order === 0 && heads[i].entry.sequence > heads[best].entry.sequence)) best = i;
      }
      const [{ run, entry }] = heads.splice(best, 1);
      if (last === undefined || compareBytes(entry.key, last) !== 0) {
        last = entry.key;
        if (entry.value !== undefined) yield entry.value;
      }
      await advance(run);
    }
  } finally {
    // Who stops early leaves no table open.
    for (const run of runs) await run.return();
  }
}

async function* iterate(entries: readonly Entry[]): AsyncGenerator<Entry, void> {
  yield* entries;
}

async function* readTables(
  tables: readonly TableFile[],
  folder: Folder,
  names: ReadonlySet<string>,
): AsyncGenerator<Entry, void> {
  for (const { number } of tables) {
    const stem = String(number).padStart(6, '0');
    const name = [`${stem}.ldb`, `${stem}.sst`].find((candidate) => names.has(candidate));
    if (name === undefined) {
      throw new CaffeError(phrase`The LevelDB database lacks its table ${stem}.ldb`, {
        file: folder.name,
        advice: phrase`Copy the whole folder`,
      });
    }
    const source = await folder.open(name);
    try {
      yield* readTable(source);
    } finally {
      await source.close();
    }
  }
}

/** The records of one table, block after block. */
async function* readTable(source: ByteSource): AsyncGenerator<Entry, void> {
  const file = source.name;
  if (source.size < FOOTER) throw damage(file, 0, phrase`the table is shorter than its footer`);
  const footer = new Cursor(await source.read(source.size - FOOTER, FOOTER), file, source.size - FOOTER);
  if (footer.view.getBigUint64(FOOTER - 8, true) !== TABLE_MAGIC) {
    throw damage(file, source.size - 8, phrase`the mark at the end of the table is missing`);
  }
  footer.varint(); // the index of metadata: Caffe writes none
  footer.varint();
  const index = await readBlock(source, footer.varint(), footer.varint());

  // Blocks that overlap would let a small file claim any amount of work.
  let read = 0;
  for (const { value } of blockEntries(index, file)) {
    const handle = new Cursor(value, file, source.size);
    const offset = handle.varint();
    const size = handle.varint();
    read += size;
    if (read > source.size) throw damage(file, offset, phrase`the blocks of the table overlap`);
    for (const { key, value: content } of blockEntries(await readBlock(source, offset, size), file)) {
      if (key.length < 8) throw damage(file, offset, phrase`a key is too short`);
      const trailer = new DataView(key.buffer, key.byteOffset + key.length - 8, 8).getBigUint64(0, true);
      const type = Number(trailer & 0xffn);
      if (type !== TYPE_VALUE && type !== TYPE_DELETED)
        throw damage(file, offset, phrase`a record has the type ${type}`);
      yield {
        key: key.subarray(0, key.length - 8),
        sequence: Number(trailer >> 8n),
        value: type === TYPE_VALUE ? content : undefined,
      };
    }
  }
}

async function readBlock(source: ByteSource, offset: number, size: number): Promise<Uint8Array> {
  const file = source.name;
  if (offset + size + BLOCK_TRAILER > source.size)
    throw damage(file, offset, phrase`a block reaches beyond the file`);
  const bytes = await source.read(offset, size + BLOCK_TRAILER);
  const expected = unmask(new DataView(bytes.buffer, bytes.byteOffset + size + 1, 4).getUint32(0, true));
  if (crc32c(bytes.subarray(0, size + 1)) !== expected)
    throw damage(file, offset, phrase`a block does not match its CRC`);
  const content = bytes.subarray(0, size);
  switch (bytes[size]) {
    case 0:
      return content;
    case 1:
      try {
        return decompressSnappy(content);
      } catch (cause) {
        throw damage(file, offset, reasonOf(cause));
      }
    default:
      throw new CaffeError(
        phrase`A block of the LevelDB table is compressed in a way (${bytes[size]}) that is not Snappy`,
        {
          file,
          byteOffset: offset,
          advice: phrase`Write the database again with Caffe`,
        },
      );
  }
}

/** The records of a block. Keys share their beginnings with the key before; the restart points are not needed. */
function* blockEntries(
  block: Uint8Array,
  file: string,
): Generator<{ key: Uint8Array; value: Uint8Array }, void> {
  if (block.length < 4) throw damage(file, 0, phrase`a block is too short`);
  const restarts = new DataView(block.buffer, block.byteOffset + block.length - 4, 4).getUint32(0, true);
  const end = block.length - 4 * (restarts + 1);
  if (end < 0) throw damage(file, 0, phrase`a block has more restart points than it can hold`);
  const cursor = new Cursor(block.subarray(0, end), file, 0);
  let key = new Uint8Array(0);
  while (cursor.at < end) {
    const shared = cursor.varint();
    const unshared = cursor.varint();
    const valueSize = cursor.varint();
    if (shared > key.length) throw damage(file, 0, phrase`a key shares more than there is`);
    const next = new Uint8Array(shared + unshared);
    next.set(key.subarray(0, shared));
    next.set(cursor.bytes(unshared), shared);
    key = next;
    yield { key, value: cursor.bytes(valueSize) };
  }
}

async function readManifest(folder: Folder, names: ReadonlySet<string>) {
  if (!names.has('CURRENT')) {
    throw new CaffeError(phrase`This is no LevelDB database: there is no file CURRENT`, {
      file: folder.name,
    });
  }
  const current = new TextDecoder().decode(await readWhole(folder, 'CURRENT', 4096)).trim();
  if (!/^MANIFEST-\d+$/.test(current) || !names.has(current)) {
    throw new CaffeError(phrase`The LevelDB database has no manifest: CURRENT names "${current}"`, {
      file: folder.name,
      advice: phrase`Copy the whole folder`,
    });
  }

  const file = `${folder.name}/${current}`;
  const tables = new Map<number, TableFile>();
  let logNumber = 0;
  let previousLog = 0;
  for (const { bytes, offset } of logRecords(await readWhole(folder, current, MAX_LOG_SIZE))) {
    const edit = new Cursor(bytes, file, offset);
    while (edit.at < bytes.length) {
      const tag = edit.varint();
      switch (tag) {
        case 1: {
          const comparator = new TextDecoder().decode(edit.bytes(edit.varint()));
          if (comparator !== 'leveldb.BytewiseComparator') {
            throw new CaffeError(
              phrase`The LevelDB database is sorted by "${comparator}"; Caffe sorts by bytes`,
              {
                file,
              },
            );
          }
          break;
        }
        case 2:
          logNumber = edit.varint();
          break;
        case 3: // the next file's number
        case 4: // the last sequence number
          edit.varint();
          break;
        case 5: // where to compact next
          edit.varint();
          edit.bytes(edit.varint());
          break;
        case 6:
          edit.varint();
          tables.delete(edit.varint());
          break;
        case 7: {
          const level = edit.varint();
          const number = edit.varint();
          edit.varint(); // its size
          const smallest = edit.bytes(edit.varint());
          edit.bytes(edit.varint()); // the largest key
          tables.set(number, { level, number, smallest });
          break;
        }
        case 9:
          previousLog = edit.varint();
          break;
        default:
          throw damage(file, offset, phrase`the manifest has an entry of kind ${tag}`);
      }
    }
  }
  return { tables: [...tables.values()], logNumber, previousLog };
}

/** The records of a log file: batches of puts and deletions. */
async function readLogFile(folder: Folder, name: string): Promise<Entry[]> {
  const file = `${folder.name}/${name}`;
  const entries: Entry[] = [];
  for (const { bytes, offset } of logRecords(await readWhole(folder, name, MAX_LOG_SIZE))) {
    if (bytes.length < 12) throw damage(file, offset, phrase`a batch of records is too short`);
    const batch = new Cursor(bytes, file, offset);
    const first = Number(batch.view.getBigUint64(0, true));
    const count = batch.view.getUint32(8, true);
    batch.at = 12;
    for (let i = 0; i < count; i++) {
      const type = batch.bytes(1)[0];
      if (type !== TYPE_VALUE && type !== TYPE_DELETED)
        throw damage(file, offset, phrase`a record has the type ${type}`);
      const key = batch.bytes(batch.varint());
      const value = type === TYPE_VALUE ? batch.bytes(batch.varint()) : undefined;
      entries.push({ key, sequence: first + i, value });
    }
  }
  return entries;
}

/**
 * The records of a log: blocks of 32 KiB, each filled with pieces (CRC u32, length u16, type u8, bytes). It ends at the
 * first piece that is incomplete or does not match its CRC: the writer was interrupted there.
 */
function* logRecords(log: Uint8Array): Generator<{ bytes: Uint8Array; offset: number }, void> {
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength);
  let pieces: Uint8Array[] = [];
  let start = 0;
  for (let at = 0; at + LOG_HEADER <= log.length;) {
    const room = LOG_BLOCK - (at % LOG_BLOCK);
    if (room < LOG_HEADER) {
      at += room;
      continue;
    }
    const length = view.getUint16(at + 4, true);
    const type = log[at + 6];
    if (type === 0 && length === 0) {
      // Preallocated and never written.
      at += room;
      continue;
    }
    const end = at + LOG_HEADER + length;
    if (end > log.length || length > room - LOG_HEADER) return;
    if (crc32c(log.subarray(at + 6, end)) !== unmask(view.getUint32(at, true))) return;
    // 1 whole, 2 first, 3 middle, 4 last
    if (type === 1 || type === 2) {
      pieces = [];
      start = at;
    }
    pieces.push(log.subarray(at + LOG_HEADER, end));
    if (type === 1 || type === 4) {
      yield { bytes: pieces.length === 1 ? pieces[0] : concat(pieces), offset: start };
      pieces = [];
    }
    at = end;
  }
}

async function readWhole(folder: Folder, name: string, limit: number): Promise<Uint8Array> {
  const source = await folder.open(name);
  try {
    if (source.size > limit) {
      throw new CaffeError(phrase`The file has ${source.size} bytes, more than LevelDB ever writes`, {
        file: `${folder.name}/${name}`,
      });
    }
    return await source.read(0, source.size);
  } finally {
    await source.close();
  }
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Checked reads from a piece of a file. */
class Cursor {
  at = 0;
  readonly view: DataView;

  constructor(
    private readonly content: Uint8Array,
    private readonly file: string,
    /** Where the content lies in the file, for errors. */
    private readonly offset: number,
  ) {
    this.view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 50; shift += 7) {
      const byte = this.content[this.at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw damage(this.file, this.offset, phrase`a number is cut off or too large`);
  }

  bytes(length: number): Uint8Array {
    if (this.at + length > this.content.length)
      throw damage(this.file, this.offset, phrase`an entry is cut off`);
    this.at += length;
    return this.content.subarray(this.at - length, this.at);
  }
}

/** LevelDB stores a CRC rotated and with a constant added, so that the CRC of data with a CRC in it is of use. */
function unmask(masked: number): number {
  const rotated = (masked - 0xa282ead8) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

function damage(file: string, byteOffset: number, what: Part): CaffeError {
  return new CaffeError(phrase`The LevelDB database is damaged: ${what}`, {
    file,
    byteOffset,
    advice: phrase`Make it again from the images, or copy it anew`,
  });
}
