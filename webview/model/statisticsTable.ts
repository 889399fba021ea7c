import { csvOf } from '../../src/csv';
import { type Statistics, statisticsColumns } from '../../src/sparsity/statistics';
import { formatCount, formatShare, formatValue, noNumber } from '../format';
import { t } from '../l10n';

export interface StatisticsRow {
  name: string;
  value: string;
  /** Explains the name. */
  title?: string;
}

/** What the statistics grid shows, in its order. */
export function statisticsRows(statistics: Statistics): StatisticsRow[] {
  const real = (value: number) => (Number.isNaN(value) ? noNumber : formatValue(value));
  const { count, nonZero, nan, infinite } = statistics;
  return [
    { name: t('Values'), value: formatCount(count) },
    { name: t('Non-zero'), value: formatCount(nonZero) },
    {
      name: t('Zeros'),
      value: count > 0 ? `${formatCount(count - nonZero)} (${formatShare((count - nonZero) / count)})` : '0',
    },
    { name: t('Minimum'), value: real(statistics.min) },
    { name: t('Maximum'), value: real(statistics.max) },
    { name: t('Mean'), value: real(statistics.mean) },
    {
      name: t('Standard deviation'),
      value: real(statistics.std),
      title: t('Of the population: divided by n'),
    },
    { name: 'L1', value: real(statistics.l1), title: t('Sum of |w|') },
    { name: 'L2', value: real(statistics.l2), title: t('Root of the sum of w²') },
    { name: t('Kurtosis'), value: real(statistics.kurtosis), title: t('3 for a normal distribution') },
    { name: 'NaN', value: formatCount(nan) },
    { name: t('Infinite'), value: formatCount(infinite) },
  ];
}

/** The statistics as CSV with one line of names and one of numbers, in full precision. */
export function csvOfStatistics(statistics: Statistics): string {
  const columns = statisticsColumns(statistics);
  return csvOf([Object.keys(columns), Object.values(columns)]);
}
