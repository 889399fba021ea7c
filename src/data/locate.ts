import { access } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { CaffeError } from '../caffe/errors';
import { phrase, type Phrase } from '../phrase';

/**
 * Where the relative paths of a prototxt may start: its own folder and those above it (Caffe's examples are relative to
 * Caffe's root), then the workspace's folders.
 */
export function searchFolders(prototxt: string, workspaceFolders: readonly string[] = []): string[] {
  const folders: string[] = [];
  for (let folder = dirname(prototxt); ; folder = dirname(folder)) {
    folders.push(folder);
    if (folder === dirname(folder)) break;
  }
  return [...new Set([...folders, ...workspaceFolders])];
}

/**
 * Finds a file or folder that a prototxt names: from each of the folders in turn; and at last by the end of its path
 * beside the prototxt (the first folder), for what was copied out of the tree it was made in.
 *
 * @param what what is looked for, for the error: "the database"
 * @throws CaffeError that lists the places tried
 */
export async function locate(path: string, folders: readonly string[], what: Phrase): Promise<string> {
  const portable = path.replaceAll('\\', '/');
  const parts = portable.split('/').filter((part) => part !== '' && part !== '.');
  const tails = parts.slice(1).map((_, i) => join(folders[0], ...parts.slice(i + 1)));
  const whole = isAbsolute(path) ? [path] : folders.map((folder) => join(folder, portable));
  const candidates = [...new Set([...whole, ...tails])];
  for (const candidate of candidates) {
    if (await exists(candidate)) return candidate;
  }
  throw new CaffeError(phrase`Cannot find ${what} "${path}"`, {
    advice: phrase`Tried ${candidates.join(', ')}. Correct the path, or say where it is`,
  });
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );
