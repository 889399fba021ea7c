import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { Button, Icon } from '../controls';
import { formatBytes, formatCount } from '../format';
import { t } from '../l10n';
import { useDispatch, useModel } from './context';
import { inspectedUnasked, type Session } from './session';
import { totals } from './state';
import { knownTitle, zerosText } from './totalsText';
import { views } from './views';

/** The page: a header, what is to be said about the file, and the view whose tab is chosen. */
export function App({ session, fileName }: { session: Session; fileName: string }): JSX.Element {
  const dispatch = useDispatch();
  const phase = useModel((state) => state.phase);
  const failure = useModel((state) => state.failure);
  const shown = useModel((state) => state.kept.view);
  const all = useMemo(views, []);
  const view = all.find(({ id }) => id === shown) ?? all[0];
  if (phase === 'failed') {
    return (
      <main class="failed">
        <Icon name="error" />
        <h1>{t('{0} cannot be shown', fileName)}</h1>
        <p>{failure}</p>
        <Button appearance="primary" onClick={() => void session.open(true)}>
          {t('Try again')}
        </Button>
      </main>
    );
  }
  const Shown = view.component;
  return (
    <>
      <Header session={session} fileName={fileName} />
      <Notices session={session} />
      {all.length > 1 && (
        <div
          class="tabs"
          role="tablist"
          aria-label={t('Views')}
          onKeyDown={(event) => {
            const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
            if (!step) return;
            const next = all[(all.indexOf(view) + step + all.length) % all.length];
            dispatch({ kind: 'show', view: next.id });
            (event.currentTarget.querySelector(`#tab-${next.id}`) as HTMLElement | null)?.focus();
          }}
        >
          {all.map(({ id, title }) => (
            <button
              key={id}
              id={`tab-${id}`}
              type="button"
              role="tab"
              aria-selected={id === view.id}
              aria-controls="view"
              tabIndex={id === view.id ? 0 : -1}
              onClick={() => dispatch({ kind: 'show', view: id })}
            >
              {title}
            </button>
          ))}
        </div>
      )}
      <main id="view" role={all.length > 1 ? 'tabpanel' : undefined} aria-label={view.title}>
        <Shown />
      </main>
    </>
  );
}

function Header({ session, fileName }: { session: Session; fileName: string }): JSX.Element {
  const summary = useModel((state) => state.summary);
  const layers = useModel((state) => state.layers);
  const figures = useModel((state) => state.figures);
  const phase = useModel((state) => state.phase);
  const wantsAll = useModel((state) => state.wantsAll);
  const sum = useMemo(() => totals({ layers, figures }), [layers, figures]);
  const name = summary?.name || fileName;
  return (
    <header class="head">
      <h1 title={name}>{name}</h1>
      {summary && (
        <dl>
          <div>
            <dt>{t('Format')}</dt>
            <dd title={kindTitle(summary.kind)}>{summary.kind}</dd>
          </div>
          <div>
            <dt>{t('File')}</dt>
            <dd>{formatBytes(summary.size)}</dd>
          </div>
          <div>
            <dt>{t('Parameters')}</dt>
            <dd>{formatCount(sum.parameters)}</dd>
          </div>
          <div>
            <dt>{t('Zeros')}</dt>
            <dd title={knownTitle(sum)}>
              {sum.complete || sum.known === 0 ? zerosText(sum) : t('{0} so far', zerosText(sum))}
            </dd>
            {phase === 'ready' && !sum.complete && !wantsAll && layers.length > inspectedUnasked && (
              <Button
                appearance="icon"
                icon="sync"
                label={t('Gather the statistics of all layers')}
                onClick={() => session.inspectAll()}
              />
            )}
          </div>
        </dl>
      )}
    </header>
  );
}

const kindTitle = (kind: string): string =>
  kind === 'HDF5'
    ? t('Weights in HDF5, as Caffe writes with snapshot_format: HDF5')
    : kind === 'V2'
      ? t('Today’s format: layers with types by name')
      : kind === 'V1'
        ? t('The format of 2014: layers with numbered types')
        : t('The format of 2013: layers inside of connections');

/** What is to be said about the file: damage, changes, statistics that could not be had. */
function Notices({ session }: { session: Session }): JSX.Element {
  const damage = useModel((state) => state.summary?.damage);
  const stale = useModel((state) => state.stale);
  const origin = useModel((state) => state.origin);
  const inspectFailure = useModel((state) => state.inspectFailure);
  return (
    <div role="alert">
      {stale && (
        <p class="banner info">
          <Icon name="info" />
          {stale === 'deleted' ? t('The file was deleted or moved.') : t('The file changed on disk.')}
          <Button onClick={() => void session.open(true)}>{t('Reload')}</Button>
        </p>
      )}
      {damage && damage.length > 0 && (
        <div class="banner warning">
          <Icon name="warning" />
          <div>
            <b>{t('The file is damaged; what can be read of it is shown.')}</b>
            <ul>
              {damage.slice(0, 5).map(({ message, layer, byteOffset }, index) => (
                <li key={index}>
                  {layer === undefined
                    ? t('At byte {0}: {1}', formatCount(byteOffset), message)
                    : t('Layer “{0}”, at byte {1}: {2}', layer, formatCount(byteOffset), message)}
                </li>
              ))}
              {damage.length > 5 && <li>{t('and {0} more', formatCount(damage.length - 5))}</li>}
            </ul>
          </div>
        </div>
      )}
      {origin && !stale && (
        <p class="banner info">
          <Icon name="info" />
          {origin.available
            ? t('Pruned from {0}. Histograms show it in outline.', origin.original)
            : origin.problem}
        </p>
      )}
      {inspectFailure !== undefined && !stale && (
        <p class="banner warning">
          <Icon name="warning" />
          {inspectFailure}
          <Button onClick={() => void session.open(true)}>{t('Try again')}</Button>
        </p>
      )}
    </div>
  );
}
