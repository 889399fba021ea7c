import {
  closeSync,
  fstatSync,
  open as openWithCallback,
  read as readWithCallback,
  readSync,
  statSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { phrase } from '../phrase';
import { CaffeError, reasonOf } from './errors';

/**
 * Random access to the bytes of a file: on disk ({@link openFile}) or in memory ({@link memorySource}, for
 * virtual workspaces). Offsets and lengths are in bytes.
 */
export interface ByteSource {
  /** The name shown in messages: a path or a URI. */
  readonly name: string;
  /** The file on disk, when it is one. */
  readonly path?: string;
  readonly size: number;
  /**
   * The `length` bytes from `offset` on. They may be a view of memory that others see too: do not write to them.
   * @throws CaffeError when the range passes the end, the file changed since it was opened, or it cannot be read
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Fills `target` with the bytes from `offset` on; throws as {@link read} does. */
  readInto(target: Uint8Array, offset: number): Promise<void>;
  /** Throws a CaffeError when the file is no longer the one that was opened, or no longer at its place. */
  verify(): Promise<void>;
  close(): Promise<void>;
}

const open = promisify(openWithCallback);
const readInTurn = promisify(readWithCallback);

/** In a file that is not larger, reads are waited for: a turn of the event loop takes longer than most of them. */
const smallFile = 4 << 20;

/** One positional read of the operating system takes less than 2 GiB. */
const maxReadLength = 1 << 30;

function checkRange(name: string, size: number, offset: number, length: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= size)) {
    throw new CaffeError(phrase`the file ends at byte ${size}, but ${length} bytes are needed here`, {
      file: name,
      byteOffset: offset,
    });
  }
}

/** Opens a file for positional reads. Nothing is read yet. */
export async function openFile(path: string): Promise<ByteSource> {
  let file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
    throw new CaffeError(phrase`the file cannot be opened (${reasonOf(cause)})`, { file: path, cause });
  });
  // Here and below not awaited: it takes a microsecond, and a turn of the event loop many times that.
  const opened = fstatSync(file);
  if (!opened.isFile()) {
    closeSync(file);
    throw new CaffeError(phrase`this is no regular file`, { file: path });
  }

  const changed = () =>
    new CaffeError(phrase`the file changed on disk while it was open`, {
      file: path,
      advice: phrase`Open it again to see what it holds now`,
    });
  const verify = () => {
    const now = fstatSync(file);
    if (now.size !== opened.size || now.mtimeMs !== opened.mtimeMs) throw changed();
  };
  /** Whether the path leads to another file now: most programs replace a file by renaming another onto it. */
  const verifyPlace = () => {
    const there = statSync(path, { throwIfNoEntry: false });
    if (there?.ino !== opened.ino || there.dev !== opened.dev) throw changed();
  };

  const isSmall = opened.size <= smallFile;
  const readInto = async (target: Uint8Array, offset: number) => {
    checkRange(path, opened.size, offset, target.length);
    let done = 0;
    while (done < target.length) {
      const length = Math.min(target.length - done, maxReadLength);
      let count: number;
      try {
        count = isSmall
          ? readSync(file, target, done, length, offset + done)
          : (await readInTurn(file, target, done, length, offset + done)).bytesRead;
      } catch (cause) {
        throw new CaffeError(phrase`the file cannot be read (${reasonOf(cause)})`, {
          file: path,
          byteOffset: offset + done,
          cause,
        });
      }
      if (count === 0) break;
      done += count;
    }
    verify();
    if (done < target.length) {
      throw new CaffeError(phrase`the file is shorter than its size says`, {
        file: path,
        byteOffset: offset + done,
      });
    }
  };

  return {
    name: path,
    path,
    size: opened.size,
    async read(offset, length) {
      checkRange(path, opened.size, offset, length);
      const bytes = new Uint8Array(length);
      await readInto(bytes, offset);
      return bytes;
    },
    readInto,
    verify: () => Promise.resolve().then(verify).then(verifyPlace),
    close: () =>
      Promise.resolve().then(() => {
        if (file >= 0) closeSync(file);
        // The system gives the number to the next file that is opened: nobody may read that here.
        file = -1;
      }),
  };
}

/** Bytes that are in memory already. */
export function memorySource(name: string, contents: Uint8Array): ByteSource {
  // A Buffer's slice() is a view, where a Uint8Array's is a copy: let there be one kind.
  const bytes = new Uint8Array(contents.buffer, contents.byteOffset, contents.length);
  const view = (offset: number, length: number) => {
    checkRange(name, bytes.length, offset, length);
    return bytes.subarray(offset, offset + length);
  };
  return {
    name,
    size: bytes.length,
    read: (offset, length) => Promise.resolve().then(() => view(offset, length)),
    readInto: (target, offset) => Promise.resolve().then(() => target.set(view(offset, target.length))),
    verify: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}
