import { readFile } from 'node:fs/promises';
import { CaffeError } from './errors';

/**
 * Reads a text file in UTF-8.
 * @param what what it holds, for the error: "The net"
 * @throws CaffeError when it cannot be read
 */
export const readText = (path: string, what: string): Promise<string> =>
  readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new CaffeError(`${what} cannot be read (${cause.code ?? cause.message})`, { file: path, cause });
  });
