import type {
  Keeps,
  KeepGoal,
  LayerRow,
  Ranking,
  SweepBaseline,
  SweepChange,
  SweepFigure,
  SweepFigures,
  SweepRequest,
  WaitingPoint,
} from '../../src/protocol';
import { weightGeometry } from '../../src/sparsity/geometry';
import { defaultKeeps, TUTORIAL_KEEPS } from '../../src/sparsity/sensitivity';
import type { Line } from '../charts/lines';
import { formatValue } from '../format';
import type { LayerKeep } from './plan';

/** What the user chose for the sweep; what is not chosen is as in the figures that are there, or by default. */
export interface SweepForm {
  /** Layers that are swept or left out otherwise than by default, by name. */
  chosen: Readonly<Record<string, boolean>>;
  /** Keep ratios of layers with other than the default ones, by name. */
  keeps: Readonly<Record<string, readonly number[]>>;
  /** Whether only the first `limit` items are measured on. */
  limited?: boolean;
  limit: number;
  ranking?: Ranking;
  measure: Measure;
  /** Keep ratios on a logarithmic scale. */
  logarithmic: boolean;
  goal: Goal;
  /** Accuracy that may be lost, 0..1. */
  drop: number;
  /** Share of the swept layers' weights that may be kept, 0..1. */
  kept: number;
}

export type Measure = 'accuracy' | 'loss';
export type Goal = 'each' | 'kept' | 'drop';

export const initialSweepForm: SweepForm = {
  chosen: {},
  keeps: {},
  limit: 1000,
  measure: 'accuracy',
  logarithmic: true,
  goal: 'each',
  drop: 0.005,
  kept: 0.1,
};

/** A layer that can be swept. */
export interface SweptLayer {
  name: string;
  weights: number;
  /** Keep ratios by its size. */
  defaults: readonly number[];
  chosen: boolean;
  /** From the largest to the smallest. */
  keeps: readonly number[];
  /** How many of the keep ratios are measured. */
  measured: number;
}

/** The layers whose weights can be pruned, each name once, with what the form and the figures have for them. */
export function sweptLayers(
  form: SweepForm,
  layers: readonly LayerRow[],
  figures: readonly SweepFigure[],
  waiting: readonly WaitingPoint[],
): SweptLayer[] {
  const swept = new Map<string, SweptLayer>();
  const known = byLayer(figures);
  const asked = byLayer([...figures, ...waiting]);
  for (const { name, type, blobs } of layers) {
    const [weight] = blobs;
    if (!weight?.prunable || weight.count < 2 || swept.has(name)) continue;
    const measured = known.get(name) ?? [];
    const defaults = defaultKeeps({
      weights: weight.count,
      outputs: weightGeometry(type, weight.shape).outputs,
    });
    const begun = asked
      .get(name)
      ?.map(({ keep }) => keep)
      .sort((a, b) => b - a);
    const keeps = form.keeps[name] ?? begun ?? defaults;
    swept.set(name, {
      name,
      weights: weight.count,
      defaults,
      chosen: form.chosen[name] ?? (asked.size === 0 || begun !== undefined),
      keeps,
      measured: measured.filter(({ keep, state }) => state !== 'open' && keeps.includes(keep)).length,
    });
  }
  return [...swept.values()];
}

function byLayer<Point extends WaitingPoint>(figures: readonly Point[]): Map<string, Point[]> {
  const layers = new Map<string, Point[]>();
  for (const figure of figures) layers.set(figure.layer, [...(layers.get(figure.layer) ?? []), figure]);
  return layers;
}

/** Every layer at keep ratios by its size. */
export const defaultForm = (layers: readonly SweptLayer[]): Pick<SweepForm, 'chosen' | 'keeps'> => ({
  chosen: Object.fromEntries(layers.map(({ name }) => [name, true])),
  keeps: Object.fromEntries(layers.map(({ name, defaults }) => [name, defaults])),
});

/** The tutorial's keep ratios for the layers that it is about; undefined where the model has none of them. */
export function tutorialForm(layers: readonly SweptLayer[]): Pick<SweepForm, 'chosen' | 'keeps'> | undefined {
  const known = layers.filter(({ name }) => Object.hasOwn(TUTORIAL_KEEPS, name));
  if (known.length === 0) return undefined;
  return {
    chosen: Object.fromEntries(layers.map(({ name }) => [name, Object.hasOwn(TUTORIAL_KEEPS, name)])),
    keeps: Object.fromEntries(known.map(({ name }) => [name, TUTORIAL_KEEPS[name]])),
  };
}

/** Keep ratios as people type them: percentages with commas or spaces between. Undefined where one is none. */
export function parseKeeps(text: string): number[] | undefined {
  const parts = text.split(/[\s,;%]+/).filter(Boolean);
  // Of a percentage such as 0.7 the hundredth has digits that nobody meant.
  const keeps = parts.map((part) => Number((Number(part) / 100).toPrecision(12)));
  if (keeps.length === 0 || !keeps.every((keep) => keep > 0 && keep <= 1)) return undefined;
  return [...new Set(keeps)].sort((a, b) => b - a);
}

export const formatKeeps = (keeps: readonly number[]): string =>
  keeps.map((keep) => formatValue(100 * keep, 4)).join(', ');

/** What the form comes to beside the figures that are there. */
export interface SweepSettings {
  limit: number | undefined;
  ranking: Ranking;
  /** Whether a sweep goes on from the figures: they are of this model and net, and measured in the same way. */
  goesOn: boolean;
}

export function settingsOf(
  form: SweepForm,
  known: SweepFigures | undefined,
  changes: readonly SweepChange[],
): SweepSettings {
  const limited = form.limited ?? known?.limit !== undefined;
  const limit = limited ? (form.limited === undefined ? known?.limit : form.limit) : undefined;
  const ranking = form.ranking ?? known?.ranking ?? 'magnitude';
  const goesOn =
    known !== undefined && changes.length === 0 && limit === known.limit && ranking === known.ranking;
  return { limit, ranking, goesOn };
}

export const sweepRequest = (
  layers: readonly SweptLayer[],
  { limit, ranking }: SweepSettings,
  anew: boolean,
): SweepRequest => ({
  layers: Object.fromEntries(
    layers.filter(({ chosen }) => chosen).map(({ name, keeps }) => [name, [...keeps]]),
  ),
  limit,
  ranking,
  anew,
});

/** A line for each layer, keep ratio to accuracy or loss, and the whole net's level. */
export function sweepLines(
  figures: readonly SweepFigure[],
  baseline: SweepBaseline,
  measure: Measure,
  names: { whole: string },
): Line[] {
  const lines = [...byLayer(figures)].map(([name, points]) => ({
    name,
    points: points
      .flatMap(({ keep, [measure]: y }) => (y === undefined || keep === 0 ? [] : [{ x: keep, y }]))
      .sort((a, b) => a.x - b.x),
  }));
  const level = baseline[measure];
  if (level === undefined || baseline.items === 0) return lines;
  const xs = [...new Set(lines.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  return [...lines, { name: names.whole, level: true, points: xs.map((x) => ({ x, y: level })) }];
}

export const goalOf = ({ goal, drop, kept }: SweepForm): KeepGoal =>
  goal === 'each' ? { each: drop } : goal === 'drop' ? { drop } : { kept };

/** The chosen keep ratios for the pruning panel: every weight that is not named stays whole. */
export const layerKeeps = (keeps: Keeps, layers: readonly LayerRow[]): LayerKeep[] =>
  layers.flatMap(({ index, name, blobs }) =>
    blobs.map(({ index: blob }) => ({ layer: index, blob, keep: blob === 0 ? (keeps[name] ?? 1) : 1 })),
  );
