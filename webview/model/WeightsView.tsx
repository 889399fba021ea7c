import type { JSX } from 'preact';
import { t } from '../l10n';
import { BlobDetail } from './BlobDetail';
import { useModel } from './context';
import { LayerTable } from './LayerTable';
import { Split } from './Split';

/** What is in the model: its layers, and the selected blob in detail. */
export function WeightsView(): JSX.Element {
  const layer = useModel((state) => state.layers[state.kept.selected.layer]);
  return (
    <Split label={t('Width of the layer table')}>
      <LayerTable />
      <BlobDetail key={layer?.index} />
    </Split>
  );
}
