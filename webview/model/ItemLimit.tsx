import type { JSX } from 'preact';
import { Checkbox, NumberField, parseCount } from '../controls';
import { formatCount } from '../format';
import { t } from '../l10n';

/** Whether only the first items of the data are taken, and how many. */
export function ItemLimit(props: {
  limited: boolean;
  limit: number;
  disabled?: boolean;
  onChange: (limited: boolean, limit: number) => void;
}): JSX.Element {
  const { limited, limit, disabled = false, onChange } = props;
  return (
    <>
      <Checkbox checked={limited} disabled={disabled} onChange={(next) => onChange(next, limit)}>
        {t('Only the first')}
      </Checkbox>
      <NumberField
        value={limit}
        min={1}
        max={1e9}
        step={100}
        label={t('Number of items')}
        format={formatCount}
        parse={parseCount}
        disabled={disabled || !limited}
        onInput={(next) => onChange(true, next)}
      />
      {t('items')}
    </>
  );
}
