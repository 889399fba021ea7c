const alignment = 64;
const page = 65_536;
/** Kernels read some vectors beyond the end of an array; the last array must have something behind it, too. */
const slack = 1024;
/** What WebAssembly can address at most, and what is tried where the system does not reserve as much. */
const maximumPages = [65_536, 32_768, 16_384, 4096];

interface Block {
  offset: number;
  bytes: number;
}

const rounded = (bytes: number, unit: number) => Math.ceil(bytes / unit) * unit;

const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

interface Reserved {
  memory: WebAssembly.Memory;
  /** Bytes that it can grow to. */
  maximum: number;
}

/** A WebAssembly memory that grows up to 4 GiB without moving: arrays handed out stay valid until they are freed. */
function reserve(initial: number, [maximum, ...less] = maximumPages): Reserved {
  try {
    return {
      memory: new WebAssembly.Memory({ initial, maximum, shared: true }),
      maximum: maximum * page,
    };
  } catch (error) {
    if (!(error instanceof RangeError) || less.length === 0) throw error;
    return reserve(initial, less);
  }
}

/**
 * Hands out parts of the memory that an engine's kernels work in. It is shared: threads see the same bytes, and
 * growing leaves older views as they are.
 */
export class KernelMemory {
  readonly memory: WebAssembly.Memory;
  private readonly maximum: number;
  /**
   * Every buffer that arrays were made of: after the memory grew the runtime makes new ones, at times of its own;
   * arrays of an older one are as good as those of the newest.
   */
  private readonly buffers = new WeakSet<ArrayBufferLike>();
  private readonly used = new Map<number, number>();
  /** By offset, neighbours joined. */
  private readonly unused: Block[] = [];
  /** Nothing was ever written from here on: it is all 0. */
  private untouched: number;

  constructor(initialBytes: number) {
    ({ memory: this.memory, maximum: this.maximum } = reserve(Math.ceil(initialBytes / page)));
    this.untouched = 0;
  }

  /** Leaves what lies before `offset` (the kernels' own data and stack) to its owner; called once, before all else. */
  startAt(offset: number): void {
    const start = rounded(offset, alignment);
    this.untouched = start;
    this.unused.push({ offset: start, bytes: this.memory.buffer.byteLength - slack - start });
  }

  /** Bytes that are handed out. */
  get bytesUsed(): number {
    let sum = 0;
    for (const bytes of this.used.values()) sum += bytes;
    return sum;
  }

  /** Offset of `bytes` bytes of memory, aligned to a cache line. What they hold is not cleared. */
  take(bytes: number): number {
    const size = Math.max(alignment, rounded(bytes, alignment));
    let at = this.unused.findIndex((block) => block.bytes >= size);
    if (at < 0) {
      this.grow(size);
      at = this.unused.length - 1;
    }
    const block = this.unused[at];
    const { offset } = block;
    block.offset += size;
    block.bytes -= size;
    if (block.bytes === 0) this.unused.splice(at, 1);
    this.used.set(offset, size);
    return offset;
  }

  give(offset: number): void {
    const bytes = this.used.get(offset);
    if (bytes === undefined)
      throw new Error(`Memory at ${String(offset)} was freed twice or is not the start of an array`);
    this.used.delete(offset);
    this.untouched = Math.max(this.untouched, offset + bytes);
    let at = this.unused.findIndex((block) => block.offset > offset);
    if (at < 0) at = this.unused.length;
    this.unused.splice(at, 0, { offset, bytes });
    if (at + 1 < this.unused.length) this.join(at);
    if (at > 0) this.join(at - 1);
  }

  /** `count` values, all 0. */
  floats(count: number): Float32Array {
    const offset = this.take(4 * count);
    const array = new Float32Array(this.memory.buffer, offset, count);
    this.buffers.add(array.buffer);
    if (offset < this.untouched) array.fill(0);
    return array;
  }

  /** Where an array lies for the kernels. Throws for arrays of other memory. */
  address(array: Float32Array): number {
    if (!this.buffers.has(array.buffer)) {
      if (array.length === 0) return 0;
      throw new Error('An array that the engine did not allocate was handed to it');
    }
    return array.byteOffset;
  }

  private join(at: number): void {
    const block = this.unused[at];
    const next = this.unused[at + 1];
    if (block.offset + block.bytes !== next.offset) return;
    block.bytes += next.bytes;
    this.unused.splice(at + 1, 1);
  }

  /** Makes the last free block large enough for `bytes`. */
  private grow(bytes: number): void {
    const before = this.memory.buffer.byteLength;
    const last = this.unused.at(-1);
    const atEnd = last !== undefined && last.offset + last.bytes === before - slack;
    const missing = bytes - (atEnd ? last.bytes : 0);
    // A step of an eighth keeps the number of growths small; what is not touched costs nothing.
    const wanted = Math.max(missing, Math.min(before / 8, this.maximum - before));
    try {
      this.memory.grow(Math.ceil(wanted / page));
    } catch (error) {
      throw new Error(
        `Out of memory: an array of ${gibibytes(bytes)} was asked for, ${gibibytes(this.bytesUsed)} of at most ` +
          `${gibibytes(this.maximum)} are in use. Try a smaller batch.`,
        { cause: error },
      );
    }
    const added = this.memory.buffer.byteLength - before;
    if (atEnd) last.bytes += added;
    else this.unused.push({ offset: before - slack, bytes: added });
  }
}
