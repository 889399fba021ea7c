import { fstatSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { CaffeError } from './errors';

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
  /** Throws a CaffeError when the file is no longer the one that was opened. */
  verify(): Promise<void>;
  close(): Promise<void>;
}

/** A file that is not larger is read as a whole when the first of its bytes are asked for. */
const wholeFile = 4 << 20;

/** One positional read of the operating system takes less than 2 GiB. */
const maxReadLength = 1 << 30;

function checkRange(name: string, size: number, offset: number, length: number): void {
  if (!(offset >= 0 && length >= 0 && offset + length <= size)) {
    throw new CaffeError(`the file ends at byte ${size}, but ${length} bytes are needed here`, {
      file: name,
      byteOffset: offset,
    });
  }
}

/** Opens a file for positional reads. Nothing is read yet. */
export async function openFile(path: string): Promise<ByteSource> {
  const handle = await open(path, 'r').catch((cause: NodeJS.ErrnoException) => {
    throw new CaffeError(`the file cannot be opened (${cause.code ?? cause.message})`, { file: path, cause });
  });
  const opened = await handle.stat();
  if (!opened.isFile()) {
    await handle.close();
    throw new CaffeError('this is no regular file', { file: path });
  }

  const verify = () => {
    // Not awaited: it takes a microsecond, and a turn of the event loop for each read many times that.
    const now = fstatSync(handle.fd);
    if (now.size !== opened.size || now.mtimeMs !== opened.mtimeMs) {
      throw new CaffeError('the file changed on disk while it was open', {
        file: path,
        advice: 'Open it again to see what it holds now',
      });
    }
  };

  const readFromDisk = async (target: Uint8Array, offset: number) => {
    let done = 0;
    while (done < target.length) {
      const length = Math.min(target.length - done, maxReadLength);
      const { bytesRead } = await handle
        .read(target, done, length, offset + done)
        .catch((cause: NodeJS.ErrnoException) => {
          throw new CaffeError(`the file cannot be read (${cause.code ?? cause.message})`, {
            file: path,
            byteOffset: offset + done,
            cause,
          });
        });
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    verify();
    if (done < target.length) {
      throw new CaffeError('the file is shorter than its size says', {
        file: path,
        byteOffset: offset + done,
      });
    }
  };

  let whole: Promise<Uint8Array> | undefined;
  const readWhole = async () => {
    const bytes = new Uint8Array(opened.size);
    await readFromDisk(bytes, 0);
    return bytes;
  };
  const partOfWhole = async (offset: number, length: number) => {
    const bytes = await (whole ??= readWhole());
    verify();
    return bytes.subarray(offset, offset + length);
  };

  return {
    name: path,
    path,
    size: opened.size,
    async read(offset, length) {
      checkRange(path, opened.size, offset, length);
      if (opened.size <= wholeFile) return (await partOfWhole(offset, length)).slice();
      const bytes = new Uint8Array(length);
      await readFromDisk(bytes, offset);
      return bytes;
    },
    async readInto(target, offset) {
      checkRange(path, opened.size, offset, target.length);
      if (opened.size <= wholeFile) target.set(await partOfWhole(offset, target.length));
      else await readFromDisk(target, offset);
    },
    verify: () => Promise.resolve().then(verify),
    close: () => handle.close(),
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
