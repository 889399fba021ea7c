import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Evaluation, Thumbnail } from '../../src/protocol';
import { Busy, Button } from '../controls';
import { formatCount } from '../format';
import { host } from '../host';
import { reasonOf, t } from '../l10n';
import { Failure } from './RunFiles';

/** Pictures that are fetched at a time. */
const page = 60;

/** The items that a model gets wrong, as pictures. */
export function WrongItems({ evaluation }: { evaluation: Evaluation }): JSX.Element {
  const { wrong } = evaluation;
  const [pictures, setPictures] = useState<ReadonlyMap<number, Thumbnail>>(new Map());
  const [shown, setShown] = useState(page);
  const [failure, setFailure] = useState<string | undefined>(undefined);
  const visible = wrong.slice(0, shown);
  useEffect(() => {
    const controller = new AbortController();
    const items = visible.map(({ item }) => item).filter((item) => !pictures.has(item));
    items.sort((a, b) => a - b);
    if (items.length > 0) {
      host.run('thumbnails', { items }, { signal: controller.signal }).then(
        (found) => setPictures(new Map([...pictures, ...found.map((each) => [each.item, each] as const)])),
        (error: unknown) => {
          if (!controller.signal.aborted) setFailure(reasonOf(error));
        },
      );
    }
    return () => controller.abort();
  }, [shown, evaluation]);
  return (
    <section aria-label={t('Wrong answers')}>
      <h2>
        {t('Wrong answers')} <span class="muted">{formatCount(wrong.length)}</span>
      </h2>
      <Failure text={failure} />
      <ul class="wrong-items">
        {visible.map(({ item, label, predicted }) => {
          const picture = pictures.get(item);
          return (
            <li key={item} title={t('Item {0}: {1} taken for {2}', item, label, predicted)}>
              {picture ? (
                <Picture picture={picture} />
              ) : (
                failure === undefined && <Busy label={t('Loading')} />
              )}
              <span>
                {label} → <b>{predicted}</b>
              </span>
            </li>
          );
        })}
      </ul>
      {shown < wrong.length && <Button onClick={() => setShown(shown + page)}>{t('Show more')}</Button>}
    </section>
  );
}

function Picture({ picture }: { picture: Thumbnail }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height, rgba, item } = picture;
  useEffect(() => {
    const image = new ImageData(new Uint8ClampedArray(rgba), width, height);
    canvas.current?.getContext('2d')?.putImageData(image, 0, 0);
  }, [picture]);
  return <canvas ref={canvas} width={width} height={height} role="img" aria-label={t('Item {0}', item)} />;
}
