import { readFile } from 'node:fs/promises';
import { phrase, type Phrase } from '../phrase';
import { CaffeError, reasonOf } from './errors';

/**
 * Reads a text file in UTF-8.
 * @param what what it holds, for the error: "The net"
 * @throws CaffeError when it cannot be read
 */
export const readText = (path: string, what: Phrase): Promise<string> =>
  readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new CaffeError(phrase`${what} cannot be read (${reasonOf(cause)})`, { file: path, cause });
  });
