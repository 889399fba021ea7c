import { Select } from '../controls';
import { t } from '../l10n';
import { useDispatch, useModel } from './context';

/** Chooses whether the counts of histograms are drawn on a linear or a logarithmic scale. */
export function CountScale() {
  const chart = useModel((state) => state.kept.chart);
  const dispatch = useDispatch();
  return (
    <Select
      label={t('Scale of the counts')}
      value={chart.logarithmic ? 'log' : 'lin'}
      options={[
        ['lin', t('linear')],
        ['log', t('logarithmic')],
      ]}
      onChange={(scale) => dispatch({ kind: 'chart', options: { logarithmic: scale === 'log' } })}
    />
  );
}
