import type { ByteSource } from '../caffe/byteSource';

/** Large enough that reading a database page by page costs few calls, small enough to hold several. */
const WINDOW = 256 * 1024;
const WINDOWS = 4;

/**
 * Reads a file through a few large windows, the least recently used of which is given up: for formats that take many
 * small pieces, mostly in ascending order. The pieces are views of the windows and stay valid.
 */
export class WindowedSource {
  private readonly windows: { start: number; bytes: Uint8Array }[] = [];

  constructor(private readonly source: ByteSource) {}

  /** The `length` bytes from `offset` on; they must lie within the file. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const found = this.windows.findIndex(
      ({ start, bytes }) => start <= offset && offset + length <= start + bytes.length,
    );
    if (found >= 0) {
      const [window] = this.windows.splice(found, 1);
      this.windows.unshift(window);
      return window.bytes.subarray(offset - window.start, offset - window.start + length);
    }
    if (length >= WINDOW) return this.source.read(offset, length);
    const bytes = await this.source.read(offset, Math.min(WINDOW, this.source.size - offset));
    this.windows.unshift({ start: offset, bytes });
    this.windows.length = Math.min(this.windows.length, WINDOWS);
    return bytes.subarray(0, length);
  }
}
