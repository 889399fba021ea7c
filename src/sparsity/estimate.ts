import { floatOfBits, type TrimmedCounts } from './magnitudeCounts';
import { indexWidths, relativeIndexBytes } from './relativeIndex';

/**
 * Bytes that `entries` non-zeros of `length` values take in relative-index form, were they spread at random: gaps are
 * then geometric, and after each entry q / (1 - q) fillers are expected, where q is the chance of 2^width zeros in a
 * row. For display while a slider moves; the exact number depends on where the zeros are.
 */
export function expectedRelativeBytes(length: number, entries: number): number {
  if (entries === 0 || length === 0) return 0;
  const density = entries / length;
  return Math.min(
    ...indexWidths.map((width) => {
      const run = density >= 1 ? 0 : (1 - density) ** (2 ** width);
      const fillers = (entries * run) / (1 - run);
      return relativeIndexBytes(Math.round(entries + Math.min(fillers, length / 2 ** width)), width);
    }),
  );
}

/** Values expected to go when each with |w| <= threshold survives with probability |w| / threshold. */
export function expectedRandomZeros({ first, counts }: TrimmedCounts, threshold: number): number {
  let pruned = 0;
  for (let i = 0; i < counts.length; i++) {
    if (counts[i] === 0) continue;
    const middle = first + i === 0 ? 0 : floatOfBits(((first + i) << 16) | 0x8000);
    if (middle > threshold) break;
    pruned += counts[i] * (threshold > 0 ? 1 - middle / threshold : 1);
  }
  return Math.round(pruned);
}

/** Counts of several blobs taken together. */
export function mergeCounts(all: readonly TrimmedCounts[]): TrimmedCounts {
  const filled = all.filter(({ counts }) => counts.length > 0);
  const first = Math.min(...filled.map((counts) => counts.first));
  const end = Math.max(...filled.map((counts) => counts.first + counts.counts.length));
  // Sums may pass 2^32 in counting, but no model has that many weights.
  const counts = new Uint32Array(filled.length === 0 ? 0 : end - first);
  for (const part of filled) {
    for (let i = 0; i < part.counts.length; i++) counts[part.first - first + i] += part.counts[i];
  }
  return { first: filled.length === 0 ? 0 : first, counts };
}
