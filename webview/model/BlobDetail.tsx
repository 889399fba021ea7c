import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { quantileLevels, type Statistics } from '../../src/sparsity/statistics';
import { HistogramChart } from '../charts/HistogramChart';
import { Busy, Button, Checkbox, Icon, Select } from '../controls';
import { formatBytes, formatCount, formatShape, formatShare, formatValue } from '../format';
import { host } from '../host';
import { reasonOf, t } from '../l10n';
import { useDispatch, useModel } from './context';
import { CountScale } from './CountScale';
import { LayerName } from './LayerName';
import { PictureView } from './PictureView';
import { figuresAt } from './state';
import { csvOfStatistics, statisticsRows } from './statisticsTable';

/** Usual names of a layer's blobs by their position. */
export function blobTitle(type: string, blob: number): string {
  if (type === 'BatchNorm') return [t('mean'), t('variance'), t('scale factor')][blob] ?? t('blob {0}', blob);
  if (type === 'PReLU') return t('slope');
  return [t('weight'), t('bias')][blob] ?? t('blob {0}', blob);
}

/** The selected blob: its distribution, its statistics and its values as a picture. */
export function BlobDetail(): JSX.Element {
  const dispatch = useDispatch();
  const place = useModel((state) => state.kept.selected);
  const layer = useModel((state) => state.layers[state.kept.selected.layer]);
  const figures = useModel((state) => figuresAt(state, state.kept.selected));
  const before = useModel((state) => state.before[state.kept.selected.layer]?.[state.kept.selected.blob]);
  const chart = useModel((state) => state.kept.chart);
  const blob = layer?.blobs[place.blob];
  const [said, setSaid] = useState('');
  const attempt = (work: Promise<string | undefined>) =>
    work.then(
      (text) => text !== undefined && setSaid(text),
      (error: unknown) => setSaid(reasonOf(error)),
    );

  if (!layer) return <section class="pane detail" aria-label={t('Blob')} />;
  if (!blob) {
    return (
      <section class="pane detail" aria-label={t('Blob')}>
        <h2>{layer.name}</h2>
        <p class="muted">{t('{0} has no weights.', layer.type || layer.name)}</p>
      </section>
    );
  }
  const zeros = figures ? figures.statistics.count - figures.statistics.nonZero : 0;
  const baseName = `${layer.name.replace(/[^\w.-]+/g, '_')}_${blob.index}`;
  return (
    <section class="pane detail" aria-label={t('Blob')}>
      <header>
        <h2>
          <LayerName name={layer.name} /> <span class="muted">{layer.type}</span>
        </h2>
        <div class="segments" role="radiogroup" aria-label={t('Blob')}>
          {layer.blobs.map(({ index }) => (
            <button
              key={index}
              type="button"
              role="radio"
              aria-checked={index === place.blob}
              onClick={() => dispatch({ kind: 'select', place: { layer: layer.index, blob: index } })}
            >
              {blobTitle(layer.type, index)}
            </button>
          ))}
        </div>
      </header>
      <p class="facts">
        <b>{formatShape(blob.shape)}</b> · {t('{0} values', formatCount(blob.count))} ·{' '}
        {formatBytes(blob.count * 4)}
        {blob.encoding !== 'float' && <> · {blob.encoding}</>} ·{' '}
        {t('at byte {0}', formatCount(blob.byteOffset))}
      </p>
      {blob.problem !== undefined && (
        <p class="banner warning">
          <Icon name="warning" /> {blob.problem}
        </p>
      )}
      {!figures ? (
        <div class="waiting">
          <Busy label={t('Reading the values…')} />
        </div>
      ) : (
        <>
          <div class="tools">
            <h3>{t('Distribution')}</h3>
            <Select
              label={t('Number of bins')}
              value={String(chart.bins)}
              options={['32', '64', '128', '256', '512'].map((bins) => [bins, t('{0} bins', bins)] as const)}
              onChange={(bins) => dispatch({ kind: 'chart', options: { bins: Number(bins) } })}
            />
            <CountScale />
          </div>
          {(zeros > 0 || before) && (
            <div class="tools">
              {zeros > 0 && (
                <Checkbox
                  checked={chart.zeros}
                  onChange={(checked) => dispatch({ kind: 'chart', options: { zeros: checked } })}
                >
                  {t('with {0} zeros', formatCount(zeros))}
                </Checkbox>
              )}
              {before && (
                <span class="legend">
                  <i class="before" /> {t('before pruning')} <i class="after" /> {t('after')}
                </span>
              )}
            </div>
          )}
          <HistogramChart
            key={`${place.layer}/${place.blob}`}
            label={t(
              'Histogram of {0}, {1}: {2} values from {3} to {4}',
              layer.name,
              blobTitle(layer.type, place.blob),
              formatCount(figures.statistics.count),
              formatValue(figures.statistics.min),
              formatValue(figures.statistics.max),
            )}
            fine={figures.histogram}
            before={before?.histogram}
            hiddenZeros={chart.zeros ? 0 : zeros}
            bins={chart.bins}
            logarithmic={chart.logarithmic}
            count={(range, bins) => host.run('histogram', { ...place, ...range, bins })}
          />
          <div class="tools">
            <h3>{t('Statistics')}</h3>
            <Button
              appearance="icon"
              icon="copy"
              label={t('Copy as CSV')}
              onClick={() =>
                void attempt(
                  host
                    .run('copyText', { text: csvOfStatistics(figures.statistics) })
                    .then(() => t('Copied.')),
                )
              }
            />
            <Button
              appearance="icon"
              icon="save"
              label={t('Save statistics as CSV…')}
              onClick={() =>
                void attempt(
                  host
                    .run('saveText', { name: `${baseName}.csv`, text: csvOfStatistics(figures.statistics) })
                    .then((name) => name && t('Saved {0}.', name)),
                )
              }
            />
            <span class="muted" role="status">
              {said}
            </span>
          </div>
          <StatisticsTable statistics={figures.statistics} />
        </>
      )}
      <div class="tools">
        <h3>{t('Values')}</h3>
        <Button
          appearance="icon"
          icon="export"
          label={t('Save values as .npy…')}
          onClick={() =>
            void attempt(
              host
                .run('saveBlob', { ...place, name: `${baseName}.npy` })
                .then((name) => name && t('Saved {0}.', name)),
            )
          }
        />
      </div>
      <PictureView key={`${place.layer}/${place.blob}`} place={place} layer={layer} blob={blob} />
    </section>
  );
}

function StatisticsTable({ statistics }: { statistics: Statistics }): JSX.Element {
  return (
    <>
      <dl class="statistics">
        {statisticsRows(statistics).map(({ name, value, title }) => (
          <div key={name} title={title}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <h4 id="quantiles">{t('Quantiles of |w|')}</h4>
      <dl class="quantiles" aria-labelledby="quantiles">
        {quantileLevels.map((level, index) => (
          <div key={level}>
            <dt>{formatShare(level).replace(/[.,]0/, '')}</dt>
            <dd>{formatValue(statistics.quantiles[index], 3)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
