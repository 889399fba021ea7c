import type { JSX } from 'preact';
import { t } from '../l10n';

/** The name of a layer, or that it has none. */
export function LayerName({ name }: { name: string }): JSX.Element {
  return <>{name || <i>{t('(no name)')}</i>}</>;
}
