import { isAbsolute, relative, sep } from 'node:path';

/** The path as seen from a folder that it is in; undefined where it is elsewhere. */
export function pathWithin(folder: string, path: string): string | undefined {
  const seen = relative(folder, path);
  return seen === '' || seen === '..' || seen.startsWith(`..${sep}`) || isAbsolute(seen) ? undefined : seen;
}
