import type { JSX } from 'preact';
import { useContext, useMemo } from 'preact/hooks';
import type { LayerRow } from '../../src/protocol';
import { Icon } from '../controls';
import { formatBytes, formatCount, formatShape, formatShare, formatShortCount, layersText } from '../format';
import { type Column, Grid } from '../Grid';
import { t } from '../l10n';
import { SessionContext, StoreContext, useDispatch, useModel } from './context';
import { LayerFilter } from './LayerFilter';
import { LayerName } from './LayerName';
import { MiniHistogram } from './MiniHistogram';
import { type LayerFigures, totals, visibleRows } from './state';
import { knownTitle, zerosText } from './totalsText';

/** All layers of the net, each with its blobs and what is known of them. */
export function LayerTable(): JSX.Element {
  const dispatch = useDispatch();
  const store = useContext(StoreContext);
  const session = useContext(SessionContext);
  const phase = useModel((state) => state.phase);
  const layers = useModel((state) => state.layers);
  const figures = useModel((state) => state.figures);
  const filter = useModel((state) => state.kept.filter);
  const sort = useModel((state) => state.kept.sort);
  const selected = useModel((state) => state.kept.selected);
  const rows = useMemo(() => visibleRows(layers, figures, filter, sort), [layers, figures, filter, sort]);
  const sum = useMemo(() => totals({ layers, figures }), [layers, figures]);
  const active = useMemo(
    () => rows.findIndex(({ layer }) => layer.index === selected.layer),
    [rows, selected.layer],
  );

  const columns: Column<LayerFigures>[] = [
    {
      key: 'index',
      title: '#',
      // Not in `ch`, which is wider in the bold head than in the rows.
      track: `${8 * Math.max(2, String(layers.length).length) + 20}px`,
      numeric: true,
      sortable: true,
      render: ({ layer }) => layer.index + 1,
    },
    {
      key: 'name',
      title: t('Layer'),
      track: 'minmax(72px, 3fr)',
      sortable: true,
      render: ({ layer }) => (
        <span title={layer.name}>
          {layer.blobs.some(({ problem }) => problem !== undefined) && (
            <Icon name="warning" label={t('Damaged')} />
          )}
          <LayerName name={layer.name} />
        </span>
      ),
    },
    {
      key: 'type',
      from: 480,
      title: t('Type'),
      track: 'minmax(min(96px, 15.5%), 2fr)',
      sortable: true,
      render: ({ layer }) => <span title={typeTitle(layer)}>{layer.type || layer.originalType}</span>,
    },
    {
      key: 'blobs',
      from: 400,
      title: t('Blobs'),
      track: 'minmax(128px, 3fr)',
      render: ({ layer }) => (
        <span class="blobs">
          {layer.blobs.map((blob) => (
            <span
              key={blob.index}
              class={
                layer.index === selected.layer && blob.index === selected.blob ? 'shape chosen' : 'shape'
              }
              onMouseDown={(event) => {
                event.stopPropagation();
                dispatch({ kind: 'select', place: { layer: layer.index, blob: blob.index } });
              }}
            >
              {formatShape(blob.shape)}
            </span>
          ))}
        </span>
      ),
    },
    {
      key: 'parameters',
      title: t('Parameters'),
      track: 'minmax(min(104px, 17%), 1.2fr)',
      numeric: true,
      sortable: true,
      render: ({ parameters }) =>
        parameters > 0 && <span title={formatBytes(parameters * 4)}>{formatCount(parameters)}</span>,
    },
    {
      key: 'share',
      from: 620,
      title: t('Share'),
      track: 'minmax(56px, 1fr)',
      numeric: true,
      render: ({ parameters }) =>
        parameters > 0 && (
          <span class="share" style={{ '--part': `${(100 * parameters) / sum.parameters}%` }}>
            {formatShare(parameters / sum.parameters)}
          </span>
        ),
    },
    {
      key: 'zeros',
      title: t('Zeros'),
      track: 'minmax(60px, 1fr)',
      numeric: true,
      sortable: true,
      render: ({ parameters, zeros }) =>
        parameters > 0 && (zeros === undefined ? '…' : formatShare(zeros / parameters)),
    },
    {
      key: 'distribution',
      title: t('Distribution'),
      track: 'minmax(48px, 104px)',
      render: ({ layer }) => {
        const known = figures[layer.index]?.[layer.index === selected.layer ? selected.blob : 0];
        return known && <MiniHistogram histogram={known.histogram} />;
      },
    },
  ];

  return (
    <section class="pane" aria-label={t('Layers')}>
      <div class="tools">
        <LayerFilter />
        {filter && (
          <span class="muted">{t('{0} of {1}', formatCount(rows.length), formatCount(layers.length))}</span>
        )}
      </div>
      <Grid
        label={t('Layers')}
        columns={columns}
        rows={rows}
        rowKey={({ layer }) => layer.index}
        active={active}
        onActive={(index) => {
          const { layer } = rows[index];
          if (layer.index !== store.get().kept.selected.layer) {
            dispatch({ kind: 'select', place: { layer: layer.index, blob: 0 } });
          }
        }}
        onKey={(event, { layer }) => {
          const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key] ?? 0;
          const blob = layer.blobs[selected.blob + step];
          if (step === 0 || !blob) return;
          event.preventDefault();
          dispatch({ kind: 'select', place: { layer: layer.index, blob: blob.index } });
        }}
        onSight={(inSight) => session.seen(inSight.map(({ layer }) => layer))}
        sort={sort}
        onSort={(column) => dispatch({ kind: 'sort', column })}
        rowClass={({ layer }) => (layer.blobs.length === 0 ? 'quiet' : '')}
        footer={{
          name: layersText(layers.length),
          blobs: sum.blobs === 1 ? t('1 blob') : t('{0} blobs', formatCount(sum.blobs)),
          parameters: (
            <span title={formatCount(sum.parameters)}>
              {sum.parameters < 1e9 ? formatCount(sum.parameters) : formatShortCount(sum.parameters)}
            </span>
          ),
          zeros: <span title={knownTitle(sum)}>{zerosText(sum)}</span>,
        }}
        empty={
          phase === 'opening'
            ? t('Reading the model…')
            : filter
              ? t('No layer matches the filter.')
              : t('The model has no layers.')
        }
      />
    </section>
  );
}

const typeTitle = (layer: LayerRow): string =>
  layer.originalType === layer.type ? layer.type : `${layer.type} (${layer.originalType})`;
