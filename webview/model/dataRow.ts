import type { DataState, RunFiles } from '../../src/protocol';
import { formatCount } from '../format';
import { t } from '../l10n';

/** The data of a run: those that were chosen or those that the net names, with what is known of them; or what they lack. */
export function dataRow(
  { netHasData, solver }: Pick<RunFiles, 'netHasData' | 'solver'>,
  chosen: string | undefined,
  trains: boolean,
  known: DataState | undefined,
): { value: string | undefined; lacking?: string } {
  if (known && known.missing.length > 0) {
    return {
      value: undefined,
      lacking: t('“{0}” cannot be found: choose it', known.missing.join('”, “')),
    };
  }
  // A solver may name another net than the one that is chosen.
  const named = netHasData || (trains && solver !== undefined);
  const value = chosen ?? (named ? t('what the net names') : undefined);
  if (value === undefined) return { value, lacking: t('none chosen: a deploy net names no data') };
  return {
    value: known?.items === undefined ? value : t('{0} ({1} items)', value, formatCount(known.items)),
  };
}
