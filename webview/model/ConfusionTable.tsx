import type { JSX } from 'preact';
import { t } from '../l10n';

/** How often each class was taken for each other one; mistakes are tinted by how often they were made. */
export function ConfusionTable(props: {
  confusion: readonly (readonly number[])[];
  model: string;
}): JSX.Element {
  const { confusion, model } = props;
  const labels = confusion.map((_, label) => label);
  const most = Math.max(1, ...confusion.map((row, label) => Math.max(...row.filter((_, i) => i !== label))));
  return (
    <section aria-label={t('Confusion matrix')}>
      <h2>
        {t('Confusion matrix')} <span class="muted">{model}</span>
      </h2>
      <p class="muted">{t('A row for each label, a column for each answer.')}</p>
      <div class="scroll" tabIndex={0}>
        <table class="confusion">
          <thead>
            <tr>
              <td />
              {labels.map((label) => (
                <th key={label} scope="col">
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {confusion.map((row, label) => (
              <tr key={label}>
                <th scope="row">{label}</th>
                {row.map((count, predicted) => (
                  <td
                    key={predicted}
                    class={label === predicted ? 'right' : count > 0 ? 'wrong' : 'none'}
                    style={{ '--strength': `${15 + (60 * count) / most}%` }}
                    title={t('{0} taken for {1}: {2}', label, predicted, count)}
                  >
                    {count > 0 ? count : '·'}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
