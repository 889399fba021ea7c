import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { SweepBaseline, SweepFigure } from '../../src/protocol';
import { formatCount, formatPercent, formatValue, noNumber } from '../format';
import { type Column, Grid } from '../Grid';
import { t } from '../l10n';
import { formatAccuracy, formatPoints } from './EvaluateView';

/** Rows in sight before the table scrolls. */
const mostRows = 14;

/** All points of a sweep, in the order of the layers, each with what became of it. */
export function SweepTable(props: { figures: readonly SweepFigure[]; baseline: SweepBaseline }): JSX.Element {
  const { figures, baseline } = props;
  const [active, setActive] = useState(-1);
  const classifies = baseline.accuracy !== undefined;
  const stopped = figures.filter(({ state }) => state === 'collapsed' || state === 'skipped');
  const columns: Column<SweepFigure>[] = [
    { key: 'layer', title: t('Layer'), track: 'minmax(80px, 2fr)', render: ({ layer }) => layer },
    {
      key: 'keep',
      title: t('Keep'),
      track: 'minmax(64px, 1fr)',
      numeric: true,
      render: ({ keep }) => formatPercent(keep),
    },
    {
      key: 'kept',
      title: t('Weights kept'),
      track: 'minmax(120px, 1fr)',
      numeric: true,
      from: 560,
      render: ({ kept }) => formatCount(kept),
    },
    ...(classifies
      ? [
          {
            key: 'accuracy',
            title: t('Accuracy'),
            track: 'minmax(90px, 1fr)',
            numeric: true,
            render: ({ accuracy }: SweepFigure) =>
              accuracy === undefined ? noNumber : formatAccuracy(accuracy),
          },
          {
            key: 'change',
            title: t('Change'),
            track: 'minmax(78px, 1fr)',
            numeric: true,
            render: ({ accuracy }: SweepFigure) => formatPoints(baseline.accuracy, accuracy),
          },
        ]
      : []),
    {
      key: 'loss',
      title: t('Loss'),
      track: 'minmax(70px, 1fr)',
      numeric: true,
      from: 480,
      render: ({ loss }) => formatValue(loss, 4),
    },
    {
      key: 'items',
      title: t('Items'),
      track: 'minmax(70px, 1fr)',
      numeric: true,
      from: 560,
      render: ({ items }) => formatCount(items),
    },
    {
      key: 'state',
      title: t('State'),
      track: 'minmax(110px, 3fr)',
      render: ({ state }) => <span title={stateText(state)}>{stateText(state)}</span>,
    },
  ];
  return (
    <>
      <p class="muted" role="status">
        {classifies
          ? t(
              'The whole net: {0} right, loss {1} on {2} items.',
              formatAccuracy(baseline.accuracy!),
              formatValue(baseline.loss, 4),
              formatCount(baseline.items),
            )
          : t(
              'The whole net: loss {0} on {1} items.',
              formatValue(baseline.loss, 4),
              formatCount(baseline.items),
            )}
        {stopped.length > 0 &&
          ` ${
            stopped.length === 1
              ? t('1 point was left early, because the accuracy had collapsed.')
              : t(
                  '{0} points were left early, because the accuracy had collapsed.',
                  formatCount(stopped.length),
                )
          }`}
      </p>
      <div class="swept-layers" style={{ height: `${26 + 24 * Math.min(mostRows, figures.length)}px` }}>
        <Grid
          label={t('Measured points')}
          columns={columns}
          rows={figures}
          rowKey={({ layer, keep }) => `${layer}/${keep}`}
          active={active}
          onActive={setActive}
          rowClass={({ state }) => (state === 'measured' ? '' : 'quiet')}
          empty=""
        />
      </div>
    </>
  );
}

const stateText = (state: SweepFigure['state']): string =>
  ({
    measured: t('measured'),
    open: t('to go on'),
    collapsed: t('left early: collapsed'),
    skipped: t('left: a larger ratio collapsed'),
  })[state];
