import bytes from './kernels/scan.wasm';

type Kernels = { memory: WebAssembly.Memory } & Record<
  | 'block_address'
  | 'scores_address'
  | 'totals_address'
  | 'counted_address'
  | 'moments_address'
  | 'edges_address'
  | 'runs_address'
  | 'describe'
  | 'gather_counts'
  | 'entry_values_address'
  | 'entry_gaps_address'
  | 'count_runs'
  | 'find_entries'
  | 'encode_entries'
  | 'zeros_after'
  | 'count_magnitudes'
  | 'count_within'
  | 'total_of_rank'
  | 'count_bins'
  | 'zero_at_or_below'
  | 'count_zeros'
  | 'largest_magnitude',
  (...args: number[]) => number
>;

/** Floats that one call of a kernel takes; they stay in the processor's cache from the copy to the last kernel. */
const block = 1 << 16;
/** Entries that a block makes at most. */
const mostEntries = block + block / 16;
const pageBytes = 1 << 16;
/** What WebAssembly can address. */
const mostPages = 1 << 16;

/*
 * Passes over weights in WebAssembly SIMD (kernels/scan.c), several times as fast as a loop in JavaScript. What is
 * built on them has the names of the field: statistics, histogram, rank, selection.
 */

let compiled: WebAssembly.Module | undefined;

/** The kernels and the buffers in their memory. */
class Scanner {
  readonly kernels = new WebAssembly.Instance((compiled ??= new WebAssembly.Module(bytes)), {})
    .exports as Kernels;
  private readonly roomAddress = this.kernels.memory.buffer.byteLength;
  /** Floats of a borrower, behind the kernels' own data. */
  room!: Float32Array;
  block!: Float32Array;
  scores!: Float32Array;
  edges!: Float32Array;
  totals!: Uint32Array;
  counted!: Uint32Array;
  moments!: Float64Array;
  runs!: Float64Array;
  entryValues!: Float32Array;
  entryGaps!: Uint16Array;

  constructor(room = 0) {
    this.growTo(room);
  }

  /**
   * Makes room for so many floats. Whoever looks at the memory loses it.
   * @throws RangeError when there is not so much memory
   */
  growTo(room: number): void {
    const { kernels, roomAddress } = this;
    const { memory } = kernels;
    const missing = roomAddress + 4 * room - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / pageBytes));
    const { buffer } = memory;
    this.room = new Float32Array(buffer, roomAddress, room);
    this.block = new Float32Array(buffer, kernels.block_address(), block);
    this.scores = new Float32Array(buffer, kernels.scores_address(), block);
    this.edges = new Float32Array(buffer, kernels.edges_address(), block);
    this.totals = new Uint32Array(buffer, kernels.totals_address(), 1 << 16);
    this.counted = new Uint32Array(buffer, kernels.counted_address(), 2);
    this.moments = new Float64Array(buffer, kernels.moments_address(), 10);
    this.runs = new Float64Array(buffer, kernels.runs_address(), 7);
    this.entryValues = new Float32Array(buffer, kernels.entry_values_address(), mostEntries);
    this.entryGaps = new Uint16Array(buffer, kernels.entry_gaps_address(), mostEntries);
  }

  /** Where the kernels find `count` values (at most a block) of `source`, which are copied unless they are theirs. */
  addressOf(source: Float32Array, start: number, count: number): number {
    if (source.buffer === this.room.buffer) return source.byteOffset + 4 * start;
    this.block.set(count < source.length ? source.subarray(start, start + count) : source);
    return this.block.byteOffset;
  }
}

let common: Scanner | undefined;
/** Those that have room for borrowers, by their memory. */
const lenders = new WeakMap<ArrayBufferLike, Scanner>();

/** Made at the first use: a page, which may not run WebAssembly, imports what is beside these passes. */
const scannerOf = ({ buffer }: Float32Array): Scanner => lenders.get(buffer) ?? (common ??= new Scanner());

/** Room that is kept for the next borrower: memory that is got anew costs more than a small model's statistics. */
const smallRoom = 1 << 20;
const mostKept = 2;
const kept: Scanner[] = [];
/** The last one with more room that was returned, while its memory is not collected: else there would be both. */
let large: WeakRef<Scanner> | undefined;

/**
 * An array that the passes work on where it is, and on its parts; of others they make a copy, block by block, which
 * takes longer than most of them. What it holds at first may be anything.
 */
export function borrowFloats(count: number): Float32Array {
  // More than the memory of one instance holds: such values are copied.
  if (4 * count > (mostPages - 256) * pageBytes) return new Float32Array(count);
  let scanner: Scanner | undefined;
  if (count <= smallRoom) {
    scanner = kept.pop() ?? new Scanner(smallRoom);
  } else {
    scanner = large?.deref() ?? new Scanner(count);
    large = undefined;
    if (scanner.room.length < count) scanner.growTo(count);
  }
  lenders.set(scanner.room.buffer, scanner);
  return scanner.room.subarray(0, count);
}

/** For the end of each use of {@link borrowFloats}, when nobody reads or writes there any more. */
export function returnFloats({ buffer }: Float32Array): void {
  const scanner = lenders.get(buffer);
  if (scanner === undefined) return;
  if (scanner.room.length > smallRoom) large = new WeakRef(scanner);
  else if (kept.length < mostKept) kept.push(scanner);
}

/** Runs kernels block by block; those get the address of a block of `source` in their memory. */
function forBlocks(
  source: Float32Array,
  run: (scanner: Scanner, address: number, count: number, start: number) => void,
): void {
  const scanner = scannerOf(source);
  for (let start = 0; start < source.length; start += block) {
    const count = Math.min(block, source.length - start);
    run(scanner, scanner.addressOf(source, start, count), count, start);
  }
}

/** Adds what kernels counted from count `first` on to `into`. */
function addCounts({ totals, kernels }: Scanner, into: Uint32Array, first = 0): void {
  const end = first + into.length;
  totals.set(into, first);
  kernels.gather_counts(first, end);
  into.set(totals.subarray(first, end));
}

/** Counts by the upper 15 bits of a magnitude: `counts[i]` is that of `first + i`, and all others are 0. */
export interface UpperCounts {
  first: number;
  counts: Uint32Array;
}

/** Lets kernels count magnitudes, and adds that to `into`. */
function withMagnitudes(scanner: Scanner, into: UpperCounts, run: () => void): void {
  const { counted } = scanner;
  counted.set([0x7fffffff, 0]);
  run();
  const [first, end] = [counted[0] >>> 16, (counted[1] >>> 16) + 1];
  if (first < end) {
    widen(into, first, end);
    addCounts(scanner, into.counts, into.first);
  }
}

/** Makes room for the counts from `first` to before `end`. */
function widen(into: UpperCounts, first: number, end: number): void {
  const { first: oldFirst, counts } = into;
  const isEmpty = counts.length === 0;
  const from = isEmpty ? first : Math.min(oldFirst, first);
  const to = isEmpty ? end : Math.max(oldFirst + counts.length, end);
  if (to - from === counts.length) return;
  into.first = from;
  into.counts = new Uint32Array(to - from);
  if (!isEmpty) into.counts.set(counts, oldFirst - from);
}

/** Sums over the finite values, d being the distance from a shift, and counts of the others. */
export interface Moments {
  min: number;
  max: number;
  /** Sum of |w|. */
  l1: number;
  /** Sums of d, d^2, d^3 and d^4. */
  s1: number;
  s2: number;
  s3: number;
  s4: number;
  zero: number;
  nan: number;
  infinite: number;
}

/** The moments of `source` about `shift`, in double precision; of its magnitudes the counts are added to `magnitudes`. */
export function addMoments(source: Float32Array, shift: number, magnitudes: UpperCounts): Moments {
  const scanner = scannerOf(source);
  const { moments } = scanner;
  moments.fill(0);
  moments[0] = Infinity;
  moments[1] = -Infinity;
  withMagnitudes(scanner, magnitudes, () =>
    forBlocks(source, ({ kernels }, address, count) => kernels.describe(address, count, shift)),
  );
  const [min, max, l1, s1, s2, s3, s4, zero, nan, infinite] = moments;
  return { min, max, l1, s1, s2, s3, s4, zero, nan, infinite };
}

/** Counts values by the upper 15 bits of their magnitude. */
export const countMagnitudes = (source: Float32Array, into: UpperCounts): void =>
  withMagnitudes(scannerOf(source), into, () =>
    forBlocks(source, ({ kernels }, address, count) => kernels.count_magnitudes(address, count)),
  );

/** Counts the values of which the magnitude's upper 15 bits are `bucket`, by its lower 16 bits. */
export function countWithin(source: Float32Array, bucket: number, into: Uint32Array): void {
  const { totals } = scannerOf(source);
  totals.set(into);
  addWithin(source, bucket);
  into.set(totals);
}

/** The lower 16 bits of that magnitude which has the index `rank` of those in `bucket`, in descending order; or -1. */
export function lowerOfRank(source: Float32Array, bucket: number, rank: number): number {
  const { totals, kernels } = scannerOf(source);
  totals.fill(0);
  addWithin(source, bucket);
  return kernels.total_of_rank(rank);
}

const addWithin = (source: Float32Array, bucket: number): void =>
  forBlocks(source, ({ kernels }, address, count) => kernels.count_within(address, count, bucket));

/**
 * Counts values into bins of equal width over min..max, which are floats; `edgeOf` gives the lower edge of each bin.
 * See `addToHistogram`. At most 65,536 bins.
 */
export function countBins(
  source: Float32Array,
  min: number,
  max: number,
  into: Uint32Array,
  edgeOf: (bin: number) => number,
): void {
  const scanner = scannerOf(source);
  const { edges } = scanner;
  for (let bin = 0; bin < into.length; bin++) edges[bin] = edgeOf(bin);
  forBlocks(source, ({ kernels }, address, count) =>
    kernels.count_bins(address, count, min, max, into.length),
  );
  addCounts(scanner, into);
}

/** Sets to +0 each value with |score| <= threshold, and returns how many those were. NaN scores stay. */
export function zeroAtOrBelow(target: Float32Array, threshold: number, ranked: Float32Array): number {
  let zeroed = 0;
  forBlocks(target, (scanner, address, count, start) => {
    const { kernels, scores, block } = scanner;
    let rankedAddress = address;
    if (ranked !== target) {
      scores.set(ranked.subarray(start, start + count));
      rankedAddress = scores.byteOffset;
    }
    const here = kernels.zero_at_or_below(address, count, threshold, rankedAddress);
    if (here > 0 && address === block.byteOffset) target.set(block.subarray(0, count), start);
    zeroed += here;
  });
  return zeroed;
}

/** How many values are +0 or -0. */
export function countZeros(source: Float32Array): number {
  let zeros = 0;
  forBlocks(source, ({ kernels }, address, count) => {
    zeros += kernels.count_zeros(address, count);
  });
  return zeros;
}

/** The bits of the largest magnitude; a NaN is larger than infinity. 0 when there is no value. */
export function largestMagnitudeBits(source: Float32Array): number {
  let largest = 0;
  forBlocks(source, ({ kernels }, address, count) => {
    largest = Math.max(largest, kernels.largest_magnitude(address, count));
  });
  return largest;
}

/** How many values there are of some kinds, and how many fillers a relative index of each width needs. */
export interface Runs {
  /** Neither +0 nor -0. */
  nonZero: number;
  /** Not +0. */
  stored: number;
  fillers: Record<4 | 5 | 8 | 16, number>;
}

/** See `countEntries`. */
export function countRuns(source: Float32Array): Runs {
  const { runs } = scannerOf(source);
  runs.fill(0);
  forBlocks(source, ({ kernels }, address, count) => kernels.count_runs(address, count));
  const [, nonZero, stored, fill4, fill5, fill8, fill16] = runs;
  return { nonZero, stored, fillers: { 4: fill4, 5: fill5, 8: fill8, 16: fill16 } };
}

/** Entries of a relative index, fillers included: values with the number of zeros before each. */
export interface Entries {
  values: Float32Array;
  gaps: Uint16Array;
}

/** A filler for every 2^width zeros that are skipped: what a run of zeros longer than a block is told by. */
function* fillers(count: number, width: number): Generator<Entries, void> {
  const values = new Float32Array(Math.min(count, block));
  const gaps = new Uint16Array(values.length).fill(2 ** width - 1);
  for (let done = 0; done < count; done += values.length) {
    const part = Math.min(values.length, count - done);
    yield { values: values.subarray(0, part), gaps: gaps.subarray(0, part) };
  }
}

/** The entries of `source` in a relative index of `width` bits, part by part; see `RelativeIndex`. */
export function* encodeEntries(source: Float32Array, width: number): Generator<Entries, void> {
  const scanner = scannerOf(source);
  const { kernels, entryValues, entryGaps } = scanner;
  let open = 0;
  for (let start = 0; start < source.length; start += block) {
    const count = Math.min(block, source.length - start);
    const address = scanner.addressOf(source, start, count);
    const found = kernels.find_entries(address, count);
    if (found === 0) {
      open += count;
      continue;
    }
    const entries = kernels.encode_entries(address, found, width, open % 2 ** width);
    // Copies: others may use the kernels before the next part is asked for.
    const part = { values: entryValues.slice(0, entries), gaps: entryGaps.slice(0, entries) };
    const after = kernels.zeros_after(found, count);
    if (open >= 2 ** width) yield* fillers(Math.floor(open / 2 ** width), width);
    yield part;
    open = after;
  }
}
