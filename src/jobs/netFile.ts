import { readFile } from 'node:fs/promises';
import { CaffeError } from '../caffe/errors';
import type { NetParameter } from '../caffe/messages';
import { parseNet } from '../caffe/readNet';

/** Reads a net from a prototxt file. @throws CaffeError with the line where the text is no net */
export async function readNetFile(path: string): Promise<NetParameter> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new CaffeError(`The net cannot be read (${cause.code ?? cause.message})`, { file: path, cause });
  });
  return parseNet(text, path);
}
