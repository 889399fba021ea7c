import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CaffeError } from '../../../src/caffe/errors';
import { crc32c } from '../../../src/data/crc32c';
import { diskFolder } from '../../../src/data/folder';
import { openLevelDb } from '../../../src/data/leveldb';
import { collect, fixture, fixtureValue, memoryFolder } from './support';

const load = (name: string) =>
  Object.fromEntries(
    readdirSync(fixture(name)).map((file) => [
      file,
      new Uint8Array(readFileSync(fixture(`${name}/${file}`))),
    ]),
  );
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

const tables = range(200)
  .filter((i) => i % 50 !== 3)
  .map((i) => fixtureValue(i < 40 && i % 8 === 0 ? i + 1000 : i, 1000));

describe('crc32c', () => {
  it('gives the check value of RFC 3720: 32 bytes of zeros', () => {
    expect(crc32c(new Uint8Array(20), new Uint8Array(12))).toBe(0x8a9136aa);
  });
});

/** A CRC as LevelDB stores it. */
const masked = (...pieces: Uint8Array[]) => {
  const crc = crc32c(...pieces);
  return u32((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
};
const bytes = (...parts: (number | string | Uint8Array)[]) =>
  Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === 'number'
        ? [part]
        : typeof part === 'string'
          ? [...new TextEncoder().encode(part)]
          : [...part],
    ),
  );
const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);

/** A database of one table with one block (shorter than 16 KiB), whatever it holds, every CRC in order. */
function databaseOf(block: Uint8Array, compression = 0): Record<string, Uint8Array> {
  const varint = (value: number) => bytes((value & 0x7f) | 0x80, value >> 7);
  const stored = (content: Uint8Array, type: number) => bytes(content, type, masked(content, bytes(type)));
  const handle = bytes(0, varint(block.length));
  const key = bytes('zzzz', 1, new Uint8Array(7));
  const index = bytes(0, key.length, handle.length, key, handle, u32(0), u32(1));
  const data = stored(block, compression);
  const footer = bytes(0, 0, varint(data.length), index.length);
  const table = bytes(
    ...[data, stored(index, 0), footer, new Uint8Array(40 - footer.length), u32(0x8b80fb57), u32(0xdb477524)],
  );
  const edit = bytes(7, 0, 5, varint(table.length), key.length, key, key.length, key);
  const manifest = bytes(masked(bytes(1), edit), edit.length, 0, 1, edit);
  return { CURRENT: bytes('MANIFEST-000001\n'), 'MANIFEST-000001': manifest, '000005.ldb': table };
}

describe('openLevelDb', () => {
  it('reads a table made by hand: keys share their beginnings, a deletion hides an older value', async () => {
    const trailer = (sequence: number, type: number) => bytes(type, sequence, new Uint8Array(6));
    const block = bytes(
      ...[0, 10, 1, 'ab', trailer(1, 1), 'x'],
      ...[1, 9, 2, 'c', trailer(2, 1), 'yz'],
      ...[1, 9, 0, 'd', trailer(4, 0)],
      ...[2, 8, 1, trailer(3, 1), 'w'],
      ...[u32(0), u32(1)],
    );
    const values = await collect(await openLevelDb(memoryFolder(databaseOf(block))));
    expect(values.map((value) => new TextDecoder().decode(value))).toEqual(['x', 'yz']);
  });

  it('never hangs nor fails in another way, whatever a block holds', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom(0, 1, 2),
        async (block, compression) => {
          try {
            await collect(await openLevelDb(memoryFolder(databaseOf(block, compression))));
          } catch (error) {
            expect(error).toBeInstanceOf(CaffeError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('reads records that are in the log file alone, overwritten and deleted ones as they are last', async () => {
    expect(await collect(await openLevelDb(diskFolder(fixture('log.leveldb'))))).toEqual(
      range(20)
        .filter((i) => i !== 7)
        .map((i) => fixtureValue(i === 5 ? 500 : i, 100)),
    );
  });

  it('merges compressed tables of several levels and the log file', async () => {
    expect(await collect(await openLevelDb(diskFolder(fixture('tables.leveldb'))))).toEqual(tables);
  });

  it('reads tables that are not compressed', async () => {
    expect(await collect(await openLevelDb(diskFolder(fixture('plain.leveldb'))))).toEqual(
      range(10).map((i) => fixtureValue(i, 300)),
    );
  });

  it.each([1, 100, 195, 196, 1000])('passes over the first %i records', async (skip) => {
    expect(await collect(await openLevelDb(diskFolder(fixture('tables.leveldb'))), skip)).toEqual(
      tables.slice(skip),
    );
  });

  it('closes its tables when the reader stops early', async () => {
    let open = 0;
    const folder = memoryFolder(load('tables.leveldb'));
    const counting = {
      ...folder,
      async open(file: string) {
        const source = await folder.open(file);
        open++;
        return { ...source, close: () => source.close().then(() => void open--) };
      },
    };
    for await (const value of (await openLevelDb(counting)).values()) {
      expect(value.length).toBe(1000);
      expect(open).toBeGreaterThan(0);
      break;
    }
    expect(open).toBe(0);
  });

  it('takes a log file that was cut short up to where it is cut', async () => {
    const files = load('log.leveldb');
    files['000003.log'] = files['000003.log'].subarray(0, 10 * 130);
    expect((await collect(await openLevelDb(memoryFolder(files)))).length).toBeLessThan(12);
  });

  it.each<[string, (files: Record<string, Uint8Array>) => void, string]>([
    ['a folder without CURRENT', (files) => delete files.CURRENT, 'no file CURRENT'],
    ['a manifest that is not there', (files) => delete files['MANIFEST-000002'], 'no manifest'],
    ['a table that is not there', (files) => delete files['000005.ldb'], 'lacks its table 000005.ldb'],
    ['a byte of a table changed', (files) => (files['000005.ldb'][100] ^= 1), 'does not match its CRC'],
    [
      'a table cut short',
      (files) => (files['000005.ldb'] = files['000005.ldb'].subarray(0, 3000)),
      'mark at the end of the table is missing',
    ],
  ])('refuses %s', async (_, change, message) => {
    const files = load('tables.leveldb');
    change(files);
    const read = async () => collect(await openLevelDb(memoryFolder(files)));
    const error = await read().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CaffeError);
    expect((error as CaffeError).message).toContain(message);
  });

  it('never hangs nor fails in another way, whatever bytes change', async () => {
    const files = load('tables.leveldb');
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(files)),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 10 }),
        async (name, changes) => {
          const bytes = files[name].slice();
          for (const [at, value] of changes) bytes[at % bytes.length] = value;
          try {
            await collect(await openLevelDb(memoryFolder({ ...files, [name]: bytes })));
          } catch (error) {
            expect(error).toBeInstanceOf(CaffeError);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
