import fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { memorySource } from '../../../src/caffe/byteSource';
import { openLmdb } from '../../../src/data/lmdb';
import { lmdbFile } from '../../../src/data/lmdbWriter';
import { findPython, runPython } from '../../python';

const folder = mkdtempSync(join(tmpdir(), 'caffe-pruner-lmdb-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `count` records like those of Caffe's converters: keys of eight digits. */
const records = (count: number, size: (i: number) => number) =>
  Array.from({ length: count }, (_, i) => ({
    key: Buffer.from(String(i).padStart(8, '0')),
    value: Buffer.alloc(size(i), i % 251),
  }));

const read = async (file: Uint8Array) => {
  const database = await openLmdb(memorySource('data.mdb', file));
  const values: Uint8Array[] = [];
  for await (const value of database.values()) values.push(value);
  return { count: database.count, values };
};

test('what is written is read back in order, whatever the sizes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 300 }), async (sizes) => {
      const written = records(sizes.length, (i) => sizes[i]);
      const { count, values } = await read(lmdbFile(written));
      expect(count).toBe(written.length);
      expect(values.map((value) => Buffer.from(value))).toEqual(written.map(({ value }) => value));
    }),
    { numRuns: 50 },
  );
});

test.each([
  ['a key twice', [Buffer.from('a'), Buffer.from('a')], 1],
  ['keys out of order', [Buffer.from('b'), Buffer.from('a')], 1],
  ['a record larger than half a page', [Buffer.from('a')], 2030],
])('%s is refused', (_, keys, size) => {
  expect(() => lmdbFile(keys.map((key) => ({ key, value: Buffer.alloc(size) })))).toThrow(RangeError);
});

/** Opens the database with liblmdb, checks each record, looks up keys, then puts and deletes many and checks again. */
const script = `
import sys, lmdb
count = int(sys.argv[2])
environment = lmdb.open(sys.argv[1], map_size=1 << 28, subdir=False)
key = lambda i: b'%08d' % i
value = lambda i: bytes([i % 251]) * (i % 1900)
with environment.begin() as t:
    assert [(k, v) for k, v in t.cursor()] == [(key(i), value(i)) for i in range(count)]
    assert all(t.get(key(i)) == value(i) for i in range(count))
    assert t.stat()['entries'] == count, t.stat()
with environment.begin(write=True) as t:
    for i in range(0, count, 2): assert t.delete(key(i))
    for i in range(count, 2 * count): assert t.put(key(i), value(i))
with environment.begin() as t:
    kept = [i for i in range(2 * count) if i >= count or i % 2]
    assert [(k, v) for k, v in t.cursor()] == [(key(i), value(i)) for i in kept]
print('fine')
`;

const python = findPython('lmdb');
test.skipIf(!python).each([0, 1, 2, 5000])('liblmdb reads and extends a database of %i records', (count) => {
  const file = join(folder, `${count}`);
  writeFileSync(`${file}.mdb`, lmdbFile(records(count, (i) => i % 1900)));
  expect(runPython(python!, script, `${file}.mdb`, `${count}`).trim()).toBe('fine');
});
