import type { JSX } from 'preact';
import { useContext, useMemo } from 'preact/hooks';
import { HistogramChart } from '../charts/HistogramChart';
import { Button, Icon, NumberField, parsePercent, Select, Slider } from '../controls';
import { formatBytes, formatCount, formatFactor, formatShare, formatValue } from '../format';
import { type Column, Grid } from '../Grid';
import { host } from '../host';
import { t } from '../l10n';
import { blobTitle } from './BlobDetail';
import { blobColumns, blobKeys } from './blobTable';
import { StoreContext, useDispatch, useModel } from './context';
import { CountScale } from './CountScale';
import { HintsNote } from './HintsNote';
import { LayerFilter } from './LayerFilter';
import {
  amountOf,
  estimate,
  type Estimate,
  hasOwnAmounts,
  isBySaliency,
  keepAtThreshold,
  keyOf,
  type Method,
  plannedBlobs,
  ranks,
  type PlannedBlob,
  type PlanState,
  thresholdIn,
} from './plan';
import { PruneRun } from './PruneRun';
import { isUsable, SaliencyChoice, useSaliency } from './SaliencyChoice';
import { Split } from './Split';
import { figuresAt, layerFilter } from './state';
import { useExactOutcomes } from './useExactOutcomes';

/** Chooses how to prune, shows at once what would come of it, and prunes. */
export function PruneView(): JSX.Element {
  const store = useContext(StoreContext);
  const layers = useModel((state) => state.layers);
  const figures = useModel((state) => state.figures);
  const plan = useModel((state) => state.kept.plan);
  const blobs = useMemo(() => plannedBlobs(plan, layers), [plan, layers]);
  const guesses = useMemo(
    () => estimate(plan, blobs, (place) => figuresAt(store.get(), place)),
    [plan, blobs, figures],
  );
  const saliency = useSaliency();
  const bySaliency = isBySaliency(plan, blobs);
  const exact = useExactOutcomes(plan, blobs, isUsable(saliency.result) ? saliency.result?.at : undefined);
  const outcomes = exact ?? guesses;
  return (
    <Split label={t('Width of the layer table')}>
      <BlobTable plan={plan} blobs={blobs} outcomes={outcomes} isExact={exact !== undefined} />
      <section class="pane detail" aria-label={t('Pruning')}>
        <HintsNote plan={plan} blobs={blobs} />
        <MethodChoice plan={plan} />
        {ranks(plan.method) && <SaliencyChoice plan={plan} saliency={saliency} />}
        <ThresholdChart blobs={blobs} outcomes={outcomes} bySaliency={bySaliency} />
        <Summary plan={plan} blobs={blobs} outcomes={outcomes} isExact={exact !== undefined} />
        <PruneRun plan={plan} blobs={blobs} lacksSaliency={bySaliency && !isUsable(saliency.result)} />
      </section>
    </Split>
  );
}

interface Amount {
  min: number;
  max: number;
  step: number;
  format: (value: number) => string;
  parse?: (text: string) => number;
}

/** How the amount of a method is shown and typed. */
function amountFor(method: Method): Amount {
  if (method === 'threshold') {
    return { min: 0, max: 1e9, step: 0.001, format: (value) => formatValue(value, 4) };
  }
  if (method === 'std')
    return {
      min: 0,
      max: 10,
      step: 0.05,
      format: (value) => `${formatValue(value, 3)} σ`,
      parse: (text) => Number(text.replace(/σ/g, '').trim().replace(',', '.') || NaN),
    };
  return {
    min: 0,
    max: 1,
    step: 0.01,
    format: (value) => `${formatValue(value * 100, 4)} %`,
    parse: parsePercent,
  };
}

const methods = (): [Method, string, string][] => [
  ['keep', t('Keep ratio of each layer'), t('The largest weights of each layer stay.')],
  [
    'global',
    t('Keep ratio of the whole model'),
    t('One threshold over all chosen layers: the largest weights of the model stay.'),
  ],
  [
    'std',
    t('Factor of standard deviation'),
    t('Weights within so many standard deviations of their layer go (Han 2015).'),
  ],
  ['threshold', t('Absolute threshold'), t('Weights of at most this magnitude go.')],
  ['n:m', t('N of every M inputs'), t('Of every M inputs in a row the N largest weights stay, such as 2:4.')],
  ['filters', t('Whole filters'), t('The filters or neurons with the largest L1 norm stay.')],
  [
    'random',
    t('Keep ratio, random below'),
    t('A weight below the threshold survives with probability |w| / threshold.'),
  ],
];

function MethodChoice({ plan }: { plan: PlanState }): JSX.Element {
  const dispatch = useDispatch();
  const { method } = plan;
  const all = methods();
  const amount = amountFor(method);
  return (
    <>
      <div class="tools">
        <label class="field">
          {t('Method')}
          <Select
            label={t('Method')}
            value={method}
            options={all.map(([value, text]) => [value, text] as const)}
            onChange={(next) => dispatch({ kind: 'plan.method', method: next })}
          />
        </label>
        {method === 'random' && (
          <label class="field">
            {t('Seed')}
            <NumberField
              label={t('Seed')}
              value={plan.seed}
              min={0}
              max={0xffffffff}
              step={1}
              format={String}
              onInput={(seed) => dispatch({ kind: 'plan.seed', seed: Math.round(seed) })}
            />
          </label>
        )}
        <label class="field">
          {t('Sparse file')}
          <Select
            label={t('Encoding of the sparse file')}
            value={plan.encoding}
            options={[
              ['relative', t('relative index')],
              ['csr', 'CSR'],
              ['csc', 'CSC'],
            ]}
            onChange={(encoding) => dispatch({ kind: 'plan.encoding', encoding })}
          />
        </label>
      </div>
      <p class="muted">{all.find(([value]) => value === method)?.[2]}</p>
      {method === 'n:m' ? (
        <div class="tools">
          <NumberField
            label={t('Weights that stay')}
            value={plan.n}
            min={0}
            max={plan.m}
            step={1}
            format={String}
            onInput={(n) => dispatch({ kind: 'plan.groups', n: Math.round(n), m: plan.m })}
          />
          {t('of')}
          <NumberField
            label={t('Inputs in a group')}
            value={plan.m}
            min={1}
            max={64}
            step={1}
            format={String}
            onInput={(m) => dispatch({ kind: 'plan.groups', n: plan.n, m: Math.round(m) })}
          />
        </div>
      ) : (
        <div class="tools overall">
          <span>{t('All layers')}</span>
          <Slider
            label={t('Amount for all layers')}
            {...sliderScale(method, plan.amounts[method])}
            text={amount.format(plan.amounts[method])}
            onInput={(value) => dispatch({ kind: 'plan.amount', amount: fromSlider(method, value) })}
          />
          <NumberField
            label={t('Amount for all layers')}
            value={plan.amounts[method]}
            {...amount}
            onInput={(value) => dispatch({ kind: 'plan.amount', amount: value })}
          />
        </div>
      )}
    </>
  );
}

/** Thresholds span orders of magnitude, so their slider runs over the exponent; the others are linear. */
function sliderScale(
  method: Method,
  amount: number,
): { value: number; min: number; max: number; step: number } {
  if (method === 'threshold') {
    return { value: Math.log10(Math.max(1e-6, amount)), min: -6, max: 1, step: 0.01 };
  }
  return method === 'std'
    ? { value: amount, min: 0, max: 4, step: 0.01 }
    : { value: amount, min: 0, max: 1, step: 0.005 };
}

const fromSlider = (method: Method, value: number): number =>
  method === 'threshold' ? (value <= -6 ? 0 : Number((10 ** value).toPrecision(3))) : value;

interface Shown {
  plan: PlanState;
  blobs: readonly PlannedBlob[];
  outcomes: ReadonlyMap<string, Estimate>;
  isExact?: boolean;
}

function BlobTable({ plan, blobs, outcomes, isExact }: Shown): JSX.Element {
  const dispatch = useDispatch();
  const selected = useModel((state) => state.kept.selected);
  const filter = useModel((state) => state.kept.filter);
  const rows = useMemo(() => {
    const passes = layerFilter(filter);
    return blobs.filter(({ row }) => passes(row));
  }, [blobs, filter]);
  const active = rows.findIndex(({ layer, blob }) => layer === selected.layer && blob === selected.blob);
  const own = hasOwnAmounts(plan.method) || blobs.some((blob) => blob.own);
  const chosen = rows.filter((blob) => blob.chosen).length;
  const about = isExact ? '' : '≈ ';

  const columns: Column<PlannedBlob>[] = [
    ...blobColumns(rows, dispatch, 470),
    ...(own
      ? [
          {
            key: 'amount',
            title:
              plan.method === 'std' ? t('Factor') : plan.method === 'threshold' ? t('Threshold') : t('Keep'),
            track: 'minmax(136px, 2fr)',
            render: (blob: PlannedBlob) => blob.chosen && <OwnAmount plan={plan} blob={blob} />,
          } satisfies Column<PlannedBlob>,
        ]
      : []),
    {
      key: 'zeros',
      title: t('Zeros'),
      track: 'minmax(60px, 1fr)',
      numeric: true,
      render: (blob) => {
        const outcome = outcomes.get(keyOf(blob));
        return (
          outcome && (
            <span title={formatCount(outcome.zeros)}>
              {formatShare(outcome.zeros / blob.description.count)}
            </span>
          )
        );
      },
    },
    {
      key: 'bytes',
      title: t('Size'),
      track: 'minmax(min(94px, 18%), 1fr)',
      numeric: true,
      from: 500,
      render: (blob) => {
        const outcome = outcomes.get(keyOf(blob));
        return outcome && about + formatBytes(outcome.bytes);
      },
    },
  ];

  return (
    <section class="pane" aria-label={t('What to prune')}>
      <div class="tools">
        <LayerFilter />
        <span class="muted">{t('{0} of {1} chosen', formatCount(chosen), formatCount(rows.length))}</span>
        <span class="spacer" />
        <Button
          appearance="icon"
          icon="discard"
          label={t('Start afresh')}
          onClick={() => dispatch({ kind: 'plan.reset' })}
        />
      </div>
      <Grid
        label={t('What to prune')}
        columns={columns}
        rows={rows}
        rowKey={keyOf}
        active={active}
        onActive={(index) =>
          dispatch({ kind: 'select', place: { layer: rows[index].layer, blob: rows[index].blob } })
        }
        onKey={blobKeys(dispatch, {
          move(blob, step) {
            const { rule } = blob;
            if (!own || rule.method === 'n:m') return false;
            const { min, max, value } = sliderScale(rule.method, amountOf(rule));
            const moved = Math.min(max, Math.max(min, value + (step * (max - min)) / 100));
            dispatch({ kind: 'plan.own', place: blob, amount: fromSlider(rule.method, moved) });
            return true;
          },
          reset: (blob) => dispatch({ kind: 'plan.own', place: blob, amount: undefined }),
        })}
        rowClass={(blob) => (blob.chosen ? '' : 'quiet')}
        empty={filter ? t('No layer matches the filter.') : t('There is nothing to prune.')}
      />
    </section>
  );
}

/** The amount for a blob; under another method than the overall one, which hints can ask for, that method too. */
function OwnAmount({ plan, blob }: { plan: PlanState; blob: PlannedBlob }): JSX.Element {
  const dispatch = useDispatch();
  const { rule } = blob;
  const label = t('Amount for {0}', blob.row.name);
  const other = methods().find(([method]) => method === rule.method && method !== plan.method);
  const name = rule.method === 'n:m' ? t('{0} of every {1}', rule.n, rule.m) : other?.[1];
  const amount = amountFor(rule.method);
  const value = amountOf(rule);
  return (
    <span class={blob.own ? 'amount own' : 'amount'} title={name}>
      {rule.method === 'n:m' ? (
        other && name
      ) : (
        <>
          <Slider
            label={label}
            {...sliderScale(rule.method, value)}
            text={amount.format(value)}
            tabIndex={-1}
            onInput={(position) =>
              dispatch({ kind: 'plan.own', place: blob, amount: fromSlider(rule.method, position) })
            }
          />
          <NumberField
            label={label}
            value={value}
            {...amount}
            tabIndex={-1}
            onInput={(next) => dispatch({ kind: 'plan.own', place: blob, amount: next })}
          />
          {other && <Icon name="info" label={other[1]} />}
        </>
      )}
    </span>
  );
}

/** The selected blob's distribution with the threshold in it, which can be dragged where the method has one. */
function ThresholdChart({
  blobs,
  outcomes,
  bySaliency,
}: Omit<Shown, 'plan'> & { bySaliency: boolean }): JSX.Element | null {
  const dispatch = useDispatch();
  const chart = useModel((state) => state.kept.chart);
  const selected = useModel((state) => state.kept.selected);
  const figures = useModel((state) => figuresAt(state, state.kept.selected));
  const store = useContext(StoreContext);
  const blob = blobs.find(({ layer, blob: index }) => layer === selected.layer && index === selected.blob);
  if (!blob || !figures) return null;
  const outcome = outcomes.get(keyOf(blob));
  const { method } = blob.rule;
  const threshold = thresholdIn(blob, outcome, bySaliency);
  const canDrag = blob.chosen && !bySaliency && method !== 'n:m' && method !== 'filters';
  const onThreshold = (threshold: number) => {
    if (method === 'global' && !blob.own) {
      const all = blobs.flatMap((each) => (each.chosen ? (figuresAt(store.get(), each) ?? []) : []));
      dispatch({ kind: 'plan.amount', amount: keepAtThreshold(all, threshold) });
      return;
    }
    const amount =
      method === 'threshold'
        ? Number(threshold.toPrecision(4))
        : method === 'std'
          ? Number((threshold / figures.statistics.std).toPrecision(4))
          : keepAtThreshold([figures], threshold);
    dispatch({ kind: 'plan.own', place: blob, amount });
  };
  return (
    <>
      <div class="tools">
        <h3>
          {blob.row.name} <span class="muted">{blobTitle(blob.row.type, blob.blob)}</span>
        </h3>
        <span class="muted">
          {threshold !== undefined &&
            threshold >= 0 &&
            (method === 'random'
              ? t('|w| ≤ {0} may go', formatValue(threshold, 4))
              : t('|w| ≤ {0} goes', formatValue(threshold, 4)))}
        </span>
        <span class="spacer" />
        <CountScale />
      </div>
      <HistogramChart
        key={keyOf(blob)}
        label={t(
          'Histogram of {0}, {1}: {2} values from {3} to {4}',
          blob.row.name,
          blobTitle(blob.row.type, blob.blob),
          formatCount(figures.statistics.count),
          formatValue(figures.statistics.min),
          formatValue(figures.statistics.max),
        )}
        fine={figures.histogram}
        bins={chart.bins}
        logarithmic={chart.logarithmic}
        count={(range, bins) => host.run('histogram', { layer: blob.layer, blob: blob.blob, ...range, bins })}
        threshold={threshold}
        onThreshold={canDrag ? onThreshold : undefined}
      />
    </>
  );
}

/** What the whole model is before and after. */
function Summary({ plan, blobs, outcomes, isExact }: Shown): JSX.Element {
  const figures = useModel((state) => state.figures);
  const sums = useMemo(() => {
    const sum = { parameters: 0, zerosBefore: 0, zerosAfter: 0, bytesBefore: 0, bytesAfter: 0, lacking: 0 };
    for (const blob of blobs) {
      const { count } = blob.description;
      const statistics = figures[blob.layer]?.[blob.blob]?.statistics;
      const before = statistics ? statistics.count - statistics.nonZero : 0;
      const outcome = outcomes.get(keyOf(blob));
      sum.parameters += count;
      sum.lacking += Number(statistics === undefined);
      sum.zerosBefore += before;
      sum.zerosAfter += outcome?.zeros ?? before;
      sum.bytesBefore += 4 * count;
      sum.bytesAfter += outcome?.bytes ?? 4 * count;
    }
    return sum;
  }, [blobs, outcomes, figures]);
  const about = isExact ? '' : '≈ ';
  const share = (zeros: number) =>
    sums.parameters > 0 ? formatShare(zeros / sums.parameters) : formatShare(0);
  return (
    <table class="summary">
      <caption>{t('The whole model')}</caption>
      <thead>
        <tr>
          <td />
          <th scope="col">{t('Before')}</th>
          <th scope="col">{t('After')}</th>
          <td />
        </tr>
      </thead>
      <tbody>
        <tr>
          <th scope="row">{t('Zeros')}</th>
          <td>{(sums.lacking > 0 ? '≥ ' : '') + share(sums.zerosBefore)}</td>
          <td>{about + share(sums.zerosAfter)}</td>
          <td />
        </tr>
        <tr>
          <th scope="row">{t('Weights left')}</th>
          <td>{(sums.lacking > 0 ? '≤ ' : '') + formatCount(sums.parameters - sums.zerosBefore)}</td>
          <td>{about + formatCount(sums.parameters - sums.zerosAfter)}</td>
          <td>
            <b>
              {formatFactor(
                (sums.parameters - sums.zerosBefore) / Math.max(1, sums.parameters - sums.zerosAfter),
              )}
            </b>
          </td>
        </tr>
        <tr>
          <th scope="row">
            {plan.encoding === 'relative'
              ? t('Size of the sparse file')
              : t('Size of the sparse file ({0})', plan.encoding.toUpperCase())}
          </th>
          <td>{formatBytes(sums.bytesBefore)}</td>
          <td>{about + formatBytes(sums.bytesAfter)}</td>
          <td>
            <b>{formatFactor(sums.bytesBefore / Math.max(1, sums.bytesAfter))}</b>{' '}
            {sums.bytesAfter > sums.bytesBefore && (
              <Icon
                name="warning"
                label={t('Larger than the dense model: prune more, or choose another encoding.')}
              />
            )}
          </td>
        </tr>
      </tbody>
    </table>
  );
}
