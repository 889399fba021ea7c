import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Histogram } from '../../src/sparsity/histogram';
import { countHeight, joinBins } from '../charts/bins';

const bins = 32;
const height = 16;

/** The shape of a distribution, small enough for a table row. The row tells its numbers, so it is decoration. */
export function MiniHistogram({ histogram }: { histogram: Histogram }): JSX.Element {
  const path = useMemo(() => {
    const { counts } = joinBins(histogram, bins);
    const most = Math.max(...counts);
    return Array.from(counts, (count, bin) => {
      const top = height - countHeight(count, most, false) * (height - 1);
      // A bin with a single value is still to be seen.
      return count === 0 ? '' : `M${bin * 2} ${height}V${Math.min(top, height - 1)}h2V${height}z`;
    }).join('');
  }, [histogram]);
  return (
    <svg class="mini" viewBox={`0 0 ${bins * 2} ${height}`} preserveAspectRatio="none" aria-hidden>
      <path d={path} />
    </svg>
  );
}
