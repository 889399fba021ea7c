import type { JSX } from 'preact';
import { SearchField } from '../controls';
import { t } from '../l10n';
import { useDispatch, useModel } from './context';

/** Narrows a table to layers by words of their names and types; the tables of the page share it. */
export function LayerFilter(): JSX.Element {
  const dispatch = useDispatch();
  const filter = useModel((state) => state.kept.filter);
  return (
    <SearchField
      value={filter}
      label={t('Filter layers by name or type')}
      placeholder={t('Filter by name or type')}
      onInput={(text) => dispatch({ kind: 'filter', text })}
    />
  );
}
