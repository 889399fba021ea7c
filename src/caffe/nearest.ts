/**
 * The candidate that `word` most likely means: the one with the fewest typing mistakes (a letter more, less, another, or
 * two swapped; case does not count), if those are few for its length; rather one that goes on where the word ends, as when
 * it is being typed. Undefined where none is near.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  if (wanted.length < 2 || wanted.length > 64) return undefined;
  const most = wanted.length < 4 ? 1 : wanted.length < 9 ? 2 : 3;
  let best: string | undefined;
  let longer: string | undefined;
  let fewest = most + 1;
  for (const candidate of candidates) {
    if (
      wanted.length > 3 &&
      candidate.toLowerCase().startsWith(wanted) &&
      !(longer && longer.length <= candidate.length)
    )
      longer = candidate;
    if (Math.abs(candidate.length - wanted.length) >= fewest) continue;
    const mistakes = distance(wanted, candidate.toLowerCase());
    if (mistakes < fewest) [best, fewest] = [candidate, mistakes];
  }
  return fewest > 0 && best !== undefined ? (longer ?? best) : best;
}

/** Optimal string alignment distance. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j], before[j - 2] + 1);
    }
    [before, last] = [last, row];
  }
  return last[b.length];
}
