import bytes from './kernels/scan.wasm';

type Kernels = { memory: WebAssembly.Memory } & Record<
  | 'values_address'
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

/*
 * Passes over weights in WebAssembly SIMD (kernels/scan.c), several times as fast as a loop in JavaScript. What is
 * built on them has the names of the field: statistics, histogram, rank, selection.
 */

/** The kernels and the buffers in their memory. */
class Scanner {
  readonly kernels = new WebAssembly.Instance(new WebAssembly.Module(bytes), {}).exports as Kernels;
  readonly values = this.floats(this.kernels.values_address());
  readonly scores = this.floats(this.kernels.scores_address());
  readonly edges = this.floats(this.kernels.edges_address());
  readonly totals = new Uint32Array(this.kernels.memory.buffer, this.kernels.totals_address(), 1 << 16);
  readonly counted = new Uint32Array(this.kernels.memory.buffer, this.kernels.counted_address(), 2);
  readonly moments = new Float64Array(this.kernels.memory.buffer, this.kernels.moments_address(), 10);
  readonly runs = new Float64Array(this.kernels.memory.buffer, this.kernels.runs_address(), 7);

  readonly entryValues = this.floats(this.kernels.entry_values_address(), mostEntries);
  readonly entryGaps = new Uint16Array(
    this.kernels.memory.buffer,
    this.kernels.entry_gaps_address(),
    mostEntries,
  );

  private floats(address: number, length = block): Float32Array {
    return new Float32Array(this.kernels.memory.buffer, address, length);
  }
}

let made: Scanner | undefined;
/** Made at the first use: a page, which may not run WebAssembly, imports what is beside these passes. */
const scanner = (): Scanner => (made ??= new Scanner());

/** Copies `source` block by block to the kernels' memory. */
function forBlocks(
  source: Float32Array,
  run: (kernels: Kernels, count: number, start: number) => void,
): void {
  const { kernels, values } = scanner();
  for (let start = 0; start < source.length; start += block) {
    const part = source.length > block ? source.subarray(start, start + block) : source;
    values.set(part);
    run(kernels, part.length, start);
  }
}

/** Adds what kernels counted from count `first` on to `into`. */
function addCounts(into: Uint32Array, first = 0): void {
  const { totals, kernels } = scanner();
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
function withMagnitudes(into: UpperCounts, run: () => void): void {
  const { counted } = scanner();
  counted.set([0x7fffffff, 0]);
  run();
  const [first, end] = [counted[0] >>> 16, (counted[1] >>> 16) + 1];
  if (first < end) {
    widen(into, first, end);
    addCounts(into.counts, into.first);
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
  const { moments } = scanner();
  moments.fill(0);
  moments[0] = Infinity;
  moments[1] = -Infinity;
  withMagnitudes(magnitudes, () => forBlocks(source, (kernels, count) => kernels.describe(count, shift)));
  const [min, max, l1, s1, s2, s3, s4, zero, nan, infinite] = moments;
  return { min, max, l1, s1, s2, s3, s4, zero, nan, infinite };
}

/** Counts values by the upper 15 bits of their magnitude. */
export const countMagnitudes = (source: Float32Array, into: UpperCounts): void =>
  withMagnitudes(into, () => forBlocks(source, (kernels, count) => kernels.count_magnitudes(count)));

/** Counts the values of which the magnitude's upper 15 bits are `bucket`, by its lower 16 bits. */
export function countWithin(source: Float32Array, bucket: number, into: Uint32Array): void {
  forBlocks(source, (kernels, count) => kernels.count_within(count, bucket));
  addCounts(into);
}

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
  const { edges } = scanner();
  for (let bin = 0; bin < into.length; bin++) edges[bin] = edgeOf(bin);
  forBlocks(source, (kernels, count) => kernels.count_bins(count, min, max, into.length));
  addCounts(into);
}

/** Sets to +0 each value with |score| <= threshold, and returns how many those were. NaN scores stay. */
export function zeroAtOrBelow(target: Float32Array, threshold: number, ranked: Float32Array): number {
  const { scores, values } = scanner();
  const separate = ranked !== target;
  let zeroed = 0;
  forBlocks(target, (kernels, count, start) => {
    if (separate) scores.set(ranked.subarray(start, start + count));
    const here = kernels.zero_at_or_below(count, threshold, Number(separate));
    if (here > 0) target.set(values.subarray(0, count), start);
    zeroed += here;
  });
  return zeroed;
}

/** How many values are +0 or -0. */
export function countZeros(source: Float32Array): number {
  let zeros = 0;
  forBlocks(source, (kernels, count) => {
    zeros += kernels.count_zeros(count);
  });
  return zeros;
}

/** The bits of the largest magnitude; a NaN is larger than infinity. 0 when there is no value. */
export function largestMagnitudeBits(source: Float32Array): number {
  let largest = 0;
  forBlocks(source, (kernels, count) => {
    largest = Math.max(largest, kernels.largest_magnitude(count));
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
  const { runs } = scanner();
  runs.fill(0);
  forBlocks(source, (kernels, count) => kernels.count_runs(count));
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
  const { kernels, values, entryValues, entryGaps } = scanner();
  let open = 0;
  for (let start = 0; start < source.length; start += block) {
    const part = source.subarray(start, start + block);
    values.set(part);
    const found = kernels.find_entries(part.length);
    if (found === 0) {
      open += part.length;
      continue;
    }
    const count = kernels.encode_entries(found, width, open % 2 ** width);
    // Copies: others may use the kernels before the next part is asked for.
    const entries = { values: entryValues.slice(0, count), gaps: entryGaps.slice(0, count) };
    const after = kernels.zeros_after(found, part.length);
    if (open >= 2 ** width) yield* fillers(Math.floor(open / 2 ** width), width);
    yield entries;
    open = after;
  }
}
