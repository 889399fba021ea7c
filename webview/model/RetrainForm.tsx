import type { ComponentProps, JSX } from 'preact';
import { useDispatch, useModel } from './context';
import { Icon, NumberField, parseCount, parsePercent, Select, Slider } from '../controls';
import { formatCount, formatPercent, formatShare, formatValue } from '../format';
import { type Column, Grid } from '../Grid';
import { paragraph, t } from '../l10n';
import { blobColumns, blobKeys } from './blobTable';
import { keyOf } from './plan';
import { overallKeep, type RetrainedBlob, type RetrainPlan, type ScheduleKind, tooFine } from './retrainPlan';

const schedules = (): [ScheduleKind, string, string][] => [
  ['oneShot', t('One shot'), t('Prunes once, then retrains what is left.')],
  [
    'iterative',
    t('Rounds'),
    t('Prunes in rounds, each by the same factor, and retrains after each one (Han 2015).'),
  ],
  [
    'gradual',
    t('Gradual'),
    t(
      'Prunes a little at a time, much at first and less later on, then retrains what is left (Zhu & Gupta 2017).',
    ),
  ],
  [
    'splicing',
    t('With splicing'),
    t('As gradual, but weights that turn out to matter come back (Dynamic Network Surgery, Guo 2016).'),
  ],
  [
    'auto',
    t('As sparse as possible'),
    t(
      'Prunes, round by round, the layers that miss it least, and stops when the accuracy cannot be regained any more.',
    ),
  ],
];

/** Name of a schedule, as in the list to choose from. */
export const scheduleTitle = (kind: ScheduleKind): string => schedules().find(([each]) => each === kind)![1];

interface Props {
  plan: RetrainPlan;
  kind: ScheduleKind;
  blobs: readonly RetrainedBlob[];
  pruned: boolean;
  /** How many items the weights are judged on, where that is known. */
  judgedOn: number | undefined;
  change: (change: Partial<RetrainPlan>) => void;
}

/** The schedule, how long it takes, what it may choose by, and how much of each layer is to stay. */
export function RetrainForm(props: Props): JSX.Element {
  const { plan, kind, judgedOn, change } = props;
  const all = schedules();
  const field = (
    label: string,
    key: 'iterations' | 'rounds' | 'interval' | 'perRound' | 'tolerance' | 'holdOut',
    of: Pick<ComponentProps<typeof NumberField>, 'min' | 'max' | 'step' | 'format' | 'parse'>,
  ) => (
    <label class="field">
      {label}
      <NumberField {...of} label={label} value={plan[key]} onInput={(value) => change({ [key]: value })} />
    </label>
  );
  const count = (step: number) => ({ min: 1, max: 1e9, step, format: formatCount, parse: parseCount });
  const share = (max: number, step: number) => ({
    ...{ min: 0, max, step },
    ...{ format: formatPercent, parse: parsePercent },
  });
  return (
    <>
      <div class="form">
        <label class="field">
          {t('Schedule')}
          <Select
            label={t('Schedule')}
            value={kind}
            options={all.map(([value, title]) => [value, title] as const)}
            onChange={(next) => change({ kind: next })}
          />
        </label>
        {field(kind === 'auto' ? t('Iterations at most') : t('Iterations'), 'iterations', count(100))}
        {kind === 'iterative' && field(t('Number of rounds'), 'rounds', count(1))}
        {(kind === 'gradual' || kind === 'splicing') &&
          field(t('Iterations between prunings'), 'interval', count(10))}
        {kind === 'auto' && field(t('Iterations per round'), 'perRound', count(100))}
        {kind === 'auto' && field(t('Accuracy that may be lost'), 'tolerance', share(1, 0.001))}
        {field(t('Hold out of the training data'), 'holdOut', share(0.9, 0.01))}
      </div>
      <p class="muted">
        {paragraph(
          all.find(([value]) => value === kind)?.[2],
          plan.holdOut > 0
            ? t('The best weights are chosen by the part held out, so that the test data choose nothing.')
            : t('Nothing is held out: the best weights are chosen by the test data.'),
        )}
      </p>
      {kind === 'auto' && <TooFine tolerance={plan.tolerance} items={judgedOn} />}
      <RatioTable {...props} />
    </>
  );
}

/** Says so where the accuracy that may be lost is less than chance takes or gives. */
function TooFine({ tolerance, items }: { tolerance: number; items: number | undefined }): JSX.Element | null {
  const found = tooFine(tolerance, items);
  if (!found) return null;
  const points = (share: number) => formatValue(100 * share, 2);
  return (
    <p class="banner warning" role="status">
      <Icon name="warning" />
      <span>
        {paragraph(
          t(
            'The weights are judged on {0} items. Chance alone moves an accuracy measured on so few by about {1} points, more than the {2} that may be lost.',
            formatCount(items!),
            points(found.error),
            points(tolerance),
          ),
          Number.isFinite(found.enough)
            ? t(
                'Judge on {0} items, or let {1} points be lost.',
                formatCount(found.enough),
                points(found.error),
              )
            : t('Let {0} points be lost.', points(found.error)),
        )}
      </span>
    </p>
  );
}

function RatioTable({ plan, kind, blobs, pruned, change }: Props): JSX.Element {
  const dispatch = useDispatch();
  const selected = useModel((state) => state.kept.selected);
  const chosen = blobs.filter((blob) => blob.chosen).length;
  const setKeep = (blob: RetrainedBlob, keep: number | undefined) => {
    const { [keyOf(blob)]: _former, ...others } = plan.own;
    change({ own: keep === undefined ? others : { ...others, [keyOf(blob)]: keep } });
  };
  const label = (blob: RetrainedBlob) => t('Keep ratio of {0}', blob.row.name);
  const columns: Column<RetrainedBlob>[] = [
    ...blobColumns(blobs, dispatch, 640),
    {
      key: 'present',
      title: t('Not zero now'),
      track: 'minmax(104px, 1fr)',
      numeric: true,
      render: ({ present }) => present !== undefined && formatShare(present),
    },
    ...(kind === 'auto'
      ? []
      : [
          {
            key: 'keep',
            title: t('Keep'),
            track: 'minmax(150px, 2fr)',
            render: (blob: RetrainedBlob) =>
              blob.chosen && (
                <span class={blob.own ? 'amount own' : 'amount'}>
                  <Slider
                    label={label(blob)}
                    value={blob.keep}
                    min={0}
                    max={1}
                    step={0.005}
                    text={formatPercent(blob.keep)}
                    tabIndex={-1}
                    onInput={(keep) => setKeep(blob, keep)}
                  />
                  <NumberField
                    label={label(blob)}
                    value={blob.keep}
                    min={0}
                    max={1}
                    step={0.01}
                    format={formatPercent}
                    parse={parsePercent}
                    tabIndex={-1}
                    onInput={(keep) => setKeep(blob, keep)}
                  />
                </span>
              ),
          } satisfies Column<RetrainedBlob>,
        ]),
  ];
  const active = blobs.findIndex(({ layer, blob }) => layer === selected.layer && blob === selected.blob);
  return (
    <>
      <div class="ratios" style={{ height: `${24 * Math.min(12, blobs.length + 1) + 2}px` }}>
        <Grid
          label={t('What to retrain')}
          columns={columns}
          rows={blobs}
          rowKey={keyOf}
          active={active}
          onActive={(index) =>
            dispatch({ kind: 'select', place: { layer: blobs[index].layer, blob: blobs[index].blob } })
          }
          onKey={blobKeys(dispatch, {
            move(blob, step) {
              if (kind === 'auto') return false;
              setKeep(blob, Math.min(1, Math.max(0, blob.keep + 0.01 * step)));
              return true;
            },
            reset: (blob) => setKeep(blob, undefined),
          })}
          rowClass={(blob) => (blob.chosen ? '' : 'quiet')}
          empty={t('There is nothing to prune.')}
        />
      </div>
      {kind !== 'auto' && chosen > 0 && (
        <p class="muted">
          {paragraph(
            t('{0} of the chosen weights stay.', formatShare(overallKeep(blobs))),
            pruned
              ? t(
                  'The model is pruned already: unless you lower a ratio, its zeros are held and the rest is trained.',
                )
              : t('Without a ratio of its own, a layer keeps what the Prune panel would leave of it.'),
          )}
        </p>
      )}
    </>
  );
}
