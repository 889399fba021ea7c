import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memorySource } from '../../../src/caffe/byteSource';
import { CaffeError } from '../../../src/caffe/errors';
import { openLmdb } from '../../../src/data/lmdb';
import { collect, fixture, fixtureValue } from './support';

const small = new Uint8Array(readFileSync(fixture('small.lmdb/data.mdb')));
const empty = new Uint8Array(readFileSync(fixture('empty.lmdb/data.mdb')));

const open = (bytes: Uint8Array) => openLmdb(memorySource('data.mdb', bytes));
const changed = (change: (view: DataView, bytes: Uint8Array) => void, of = small) => {
  const bytes = of.slice();
  change(new DataView(bytes.buffer), bytes);
  return bytes;
};

const present = Array.from({ length: 120 }, (_, i) => i).filter((i) => i % 10 !== 0);
const expected = present.map((i) => fixtureValue(i, i % 20 === 3 ? 5000 : 100));

describe('openLmdb', () => {
  it('reads small and large values in the order of the keys, of the newest transaction', async () => {
    const database = await open(small);
    expect(database.count).toBe(108);
    expect(await collect(database)).toEqual(expected);
  });

  it.each([0, 1, 50, 107, 108, 500])('passes over the first %i records', async (skip) => {
    expect(await collect(await open(small), skip)).toEqual(expected.slice(skip));
  });

  it('reads an empty database', async () => {
    const database = await open(empty);
    expect(database.count).toBe(0);
    expect(await collect(database)).toEqual([]);
  });

  it('takes the newer of the two transactions that a file holds', async () => {
    // Transaction 4 of the fixture deletes records; made to look older, the 120 records of transaction 3 are there.
    const newest = [0, 4096].find(
      (page) => new DataView(small.buffer).getBigUint64(page + 144, true) === 4n,
    )!;
    const database = await open(changed((view) => view.setBigUint64(newest + 144, 1n, true)));
    expect(database.count).toBe(120);
    expect((await collect(database)).length).toBe(120);
  });

  it.each<[string, Uint8Array, string]>([
    ['no database', new TextEncoder().encode('x'.repeat(9000)), 'mark is missing'],
    ['an empty file', new Uint8Array(0), '0 bytes'],
    ['another data version', changed((view) => view.setUint32(20, 2, true)), 'data version 2'],
    [
      'a 32-bit file',
      changed((view) => view.setUint32(12, 0xbeefc0de, true), new Uint8Array(9000)),
      '32-bit',
    ],
    [
      'a page size of 12',
      changed((view) => view.setUint32(40, 12, true)),
      'page size of the database cannot be 12',
    ],
    ['a file cut within the meta pages', small.slice(0, 5000), 'ends within its first two pages'],
  ])('refuses %s', async (_, bytes, message) => {
    const error = await open(bytes).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CaffeError);
    expect((error as CaffeError).message).toContain(message);
    expect((error as CaffeError).file).toBe('data.mdb');
  });

  it('refuses a tree that leads to a page twice', async () => {
    // Lets every entry of every branch lead to the page of the first one.
    const bytes = changed((view) => {
      for (let page = 2 * 4096; page < small.length; page += 4096) {
        if (view.getUint16(page + 10, true) !== 1) continue;
        const target = view.getUint16(page + view.getUint16(page + 16, true), true);
        for (let at = 16; at < view.getUint16(page + 12, true); at += 2) {
          view.setUint16(page + view.getUint16(page + at, true), target, true);
        }
      }
    });
    await expect(collect(await open(bytes))).rejects.toThrow('leads to it twice');
  });

  it('ends on a truncated file with an error that says where', async () => {
    const error = await collect(await open(small.slice(0, small.length - 15 * 4096))).catch(
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(CaffeError);
    expect((error as CaffeError).byteOffset).toBeGreaterThan(0);
  });

  it('never hangs nor fails in another way, whatever bytes change', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(small.length - 1), fc.nat(255)), { minLength: 1, maxLength: 40 }),
        fc.option(fc.nat(small.length)),
        async (changes, length) => {
          const bytes = changed((_, target) => changes.forEach(([at, value]) => (target[at] = value))).slice(
            0,
            length ?? undefined,
          );
          try {
            const total = (await collect(await open(bytes))).reduce((sum, value) => sum + value.length, 0);
            expect(total).toBeLessThan(2 * bytes.length * 10);
          } catch (error) {
            expect(error).toBeInstanceOf(CaffeError);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
