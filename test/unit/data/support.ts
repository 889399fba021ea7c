import { fileURLToPath } from 'node:url';
import { memorySource } from '../../../src/caffe/byteSource';
import type { Folder } from '../../../src/data/folder';
import type { RecordDatabase } from '../../../src/data/records';

/** Path of a file or folder of test/fixtures/data. */
export const fixture = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/data/${name}`, import.meta.url));

/** The value that make_databases.py gives record i. */
export const fixtureValue = (i: number, size: number) =>
  Uint8Array.from({ length: size }, (_, j) => (i * 31 + Math.floor(j / 7) * 17) % 251);

export async function collect(database: RecordDatabase, skip?: number): Promise<Uint8Array[]> {
  const values: Uint8Array[] = [];
  for await (const value of database.values(skip)) values.push(value.slice());
  return values;
}

export const memoryFolder = (files: Record<string, Uint8Array>): Folder => ({
  name: 'memory',
  list: () => Promise.resolve(Object.keys(files)),
  open: (file) => Promise.resolve(memorySource(`memory/${file}`, files[file])),
});
