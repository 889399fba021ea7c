import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { PageJobs } from '../../src/protocol';
import { Busy, Button } from '../controls';
import { formatShare, formatValue } from '../format';
import { host } from '../host';
import { reasonOf, t } from '../l10n';
import { Failure } from './RunFiles';

type Answer = NonNullable<PageJobs['classify']['result']>;

/** Guesses that are shown. */
const shown = 5;

/** Lets the net say what is in a picture that is dropped here or chosen. */
export function Classify(): JSX.Element {
  const [answer, setAnswer] = useState<Answer | undefined>(undefined);
  const [failure, setFailure] = useState<string | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const [over, setOver] = useState(false);
  const run = async (given: PageJobs['classify']['params']) => {
    setBusy(true);
    setFailure(undefined);
    try {
      const result = await host.run('classify', given);
      if (result) setAnswer(result);
    } catch (error) {
      setFailure(reasonOf(error));
    }
    setBusy(false);
  };
  const onDrop = async (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const file = event.dataTransfer?.files[0];
    if (file) await run({ name: file.name, base64: await base64Of(file) });
  };
  return (
    <section aria-label={t('Classify a picture')}>
      <h2>{t('Classify a picture')}</h2>
      <div
        class={over ? 'drop over' : 'drop'}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => void onDrop(event)}
      >
        <Button icon="file-media" disabled={busy} onClick={() => void run(undefined)}>
          {t('Choose a picture…')}
        </Button>
        <span class="muted">{t('or hold Shift and drop one here: JPEG or PNG')}</span>
        {busy && <Busy label={t('Classifying')} />}
      </div>
      <Failure text={failure} />
      {answer && (
        <table class="figures" aria-live="polite">
          <caption>{t('{0}: scores of “{1}”', answer.image, answer.blob)}</caption>
          <tbody>
            {answer.guesses.slice(0, shown).map(({ index, label, score }) => (
              <tr key={index}>
                <th scope="row">{label ?? t('class {0}', index)}</th>
                <td class="part" style={{ '--part': `${100 * Math.max(0, Math.min(1, score))}%` }}>
                  {score >= 0 && score <= 1 ? formatShare(score) : formatValue(score, 4)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function base64Of(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve((reader.result as string).split(',')[1] ?? '');
    reader.onerror = () => reject(reader.error ?? new Error(t('The picture cannot be read.')));
    reader.readAsDataURL(file);
  });
}
