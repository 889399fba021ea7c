import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openFile, type ByteSource } from '../caffe/byteSource';

/** A folder whose files belong together, for reading. */
export interface Folder {
  /** The name shown in messages: a path. */
  readonly name: string;
  list(): Promise<string[]>;
  open(file: string): Promise<ByteSource>;
}

export function diskFolder(path: string): Folder {
  return { name: path, list: () => readdir(path), open: (file) => openFile(join(path, file)) };
}
