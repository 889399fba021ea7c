import type { BlobFigures, BlobPlace, LayerRow, ModelHints, ModelSummary, Origin } from '../../src/protocol';
import { type PlanState, initialPlan, type PlanAction, reducePlan } from './plan';
import { initialRetrainPlan, type RetrainPlan } from './retrainPlan';
import { planOfHints } from './planHints';
import { initialSweepForm, type SweepForm } from './sweepForm';

/** How the layer table is ordered: a column's key, or the net's own order. */
export interface Sort {
  column: string;
  descending: boolean;
}

/** How histograms are drawn. */
export interface ChartOptions {
  logarithmic: boolean;
  /** Whether zeros are counted in: after pruning they tower over the rest. */
  zeros: boolean;
  bins: number;
}

/** All that the page knows. One store holds it; views show parts of it. */
export interface ModelState {
  /** `failed` with the message when the file could not be opened at all. */
  phase: 'opening' | 'ready' | 'failed';
  failure?: string;
  summary?: ModelSummary;
  layers: readonly LayerRow[];
  /** Figures by layer and blob, as far as they have come. */
  figures: readonly (readonly (BlobFigures | undefined)[] | undefined)[];
  /** Whether the statistics of all layers are wanted, however many there are. */
  wantsAll: boolean;
  /** Why statistics stopped, when they did. */
  inspectFailure?: string;
  /** Where the model comes from, when it was pruned, and the figures of that model. */
  origin?: Origin;
  before: ModelState['figures'];
  /** What the paired prototxt asks of pruning. */
  hints?: ModelHints;
  /** Name of a layer that is to be selected once it is there. */
  wanted?: string;
  /** Set when the file changed or went away since it was read. */
  stale?: 'changedOnDisk' | 'deleted';
  trusted: boolean;
  /** How often the files beside the model changed while the page was there. */
  companionsChanged: number;
  kept: KeptState;
}

/** What survives hiding the tab. */
export interface KeptState {
  /** Id of the view that is shown. */
  view: string;
  /** The last request for a view that was met. */
  request?: number;
  selected: BlobPlace;
  sort?: Sort;
  filter: string;
  chart: ChartOptions;
  plan: PlanState;
  sweep: SweepForm;
  retrain: RetrainPlan;
}

export type ModelAction =
  | { kind: 'opening' }
  | { kind: 'failed'; text: string }
  | { kind: 'opened'; summary: ModelSummary }
  | { kind: 'layers'; layers: readonly LayerRow[] }
  | { kind: 'ready' }
  | { kind: 'figures'; figures: readonly BlobFigures[] }
  | { kind: 'origin'; origin: Origin }
  | { kind: 'before'; figures: readonly BlobFigures[] }
  | { kind: 'hints'; hints: ModelHints | undefined }
  | { kind: 'takeHints' }
  | { kind: 'wantAll' }
  | { kind: 'inspectFailed'; text: string }
  | { kind: 'stale'; why: 'changedOnDisk' | 'deleted' }
  | { kind: 'trusted' }
  | { kind: 'companions' }
  | { kind: 'show'; view: string; layer?: string; request?: number }
  | { kind: 'select'; place: BlobPlace }
  | { kind: 'sort'; column: string }
  | { kind: 'filter'; text: string }
  | { kind: 'chart'; options: Partial<ChartOptions> }
  | { kind: 'sweep'; form: Partial<SweepForm> }
  | { kind: 'retrain'; change: Partial<RetrainPlan> }
  | PlanAction;

export const initialState = (trusted: boolean, kept: unknown): ModelState => ({
  phase: 'opening',
  layers: [],
  figures: [],
  wantsAll: false,
  before: [],
  trusted,
  companionsChanged: 0,
  kept: { ...freshKept(), ...(isKept(kept) ? kept : {}) },
});

const freshKept = (): KeptState => ({
  view: 'weights',
  selected: { layer: -1, blob: 0 },
  filter: '',
  chart: { logarithmic: false, zeros: false, bins: 128 },
  plan: initialPlan,
  sweep: initialSweepForm,
  retrain: initialRetrainPlan,
});

const isKept = (value: unknown): value is KeptState =>
  typeof value === 'object' && value !== null && 'view' in value && 'plan' in value && 'chart' in value;

export function reduceModel(state: ModelState, action: ModelAction): ModelState {
  const keep = (change: Partial<KeptState>): ModelState => ({ ...state, kept: { ...state.kept, ...change } });
  switch (action.kind) {
    case 'opening':
      return {
        ...state,
        phase: 'opening',
        failure: undefined,
        layers: [],
        figures: [],
        before: [],
        origin: undefined,
        stale: undefined,
        inspectFailure: undefined,
      };
    case 'failed':
      return { ...state, phase: 'failed', failure: action.text };
    case 'opened':
      return { ...state, summary: action.summary };
    case 'layers': {
      const layers = [...state.layers, ...action.layers];
      const { selected } = state.kept;
      if (selected.layer >= 0 || state.wanted !== undefined) return selectWanted({ ...state, layers });
      const first = action.layers.find(({ blobs }) => blobs.length > 0);
      const place = first ? { layer: first.index, blob: 0 } : selected;
      return { ...state, layers, kept: { ...state.kept, selected: place } };
    }
    case 'ready': {
      // What was selected before may not be there any more.
      const { layer, blob } = state.kept.selected;
      if (layer < 0 || state.layers[layer]?.blobs[blob]) return { ...state, phase: 'ready' };
      const first = state.layers.find(({ blobs }) => blobs.length > 0);
      return { ...keep({ selected: { layer: first?.index ?? -1, blob: 0 } }), phase: 'ready' };
    }
    case 'figures':
      return { ...state, figures: withFigures(state.figures, action.figures) };
    case 'before':
      return { ...state, before: withFigures(state.before, action.figures) };
    case 'origin':
      return { ...state, origin: action.origin };
    case 'hints': {
      const next = { ...state, hints: action.hints };
      return next.kept.plan.decided ? next : keepingHints(next);
    }
    case 'takeHints':
      return keepingHints(state);
    case 'wantAll':
      return { ...state, wantsAll: true };
    case 'inspectFailed':
      return { ...state, inspectFailure: action.text };
    case 'stale':
      return { ...state, stale: action.why };
    case 'trusted':
      return { ...state, trusted: true };
    case 'companions':
      return { ...state, companionsChanged: state.companionsChanged + 1 };
    case 'show':
      if (action.request !== undefined && action.request === state.kept.request) return state;
      return selectWanted({
        ...keep({ view: action.view, request: action.request ?? state.kept.request }),
        wanted: action.layer,
      });
    case 'select':
      return keep({ selected: action.place });
    case 'sort': {
      // A column is sorted ascending, descending, and not at all in turn.
      const { sort } = state.kept;
      const next = { column: action.column, descending: sort?.column === action.column };
      return keep({ sort: sort?.column === action.column && sort.descending ? undefined : next });
    }
    case 'filter':
      return keep({ filter: action.text });
    case 'chart':
      return keep({ chart: { ...state.kept.chart, ...action.options } });
    case 'sweep':
      return keep({ sweep: { ...state.kept.sweep, ...action.form } });
    case 'retrain':
      return keep({ retrain: { ...state.kept.retrain, ...action.change } });
    default:
      return keep({ plan: reducePlan(state.kept.plan, action) });
  }
}

function selectWanted(state: ModelState): ModelState {
  const { wanted, layers, kept } = state;
  const layer = layers.find(({ name, blobs }) => name === wanted && blobs.length > 0);
  if (!layer) return state;
  return { ...state, wanted: undefined, kept: { ...kept, selected: { layer: layer.index, blob: 0 } } };
}

/** The plan as the hints have it, and by default where there are none. */
function keepingHints(state: ModelState): ModelState {
  const { hints, layers, kept } = state;
  const plan = hints ? planOfHints(kept.plan, hints, layers) : initialPlan;
  return { ...state, kept: { ...kept, plan } };
}

function withFigures(known: ModelState['figures'], more: readonly BlobFigures[]): ModelState['figures'] {
  const figures = known.slice();
  for (const blob of more) {
    const ofLayer = figures[blob.layer]?.slice() ?? [];
    ofLayer[blob.blob] = blob;
    figures[blob.layer] = ofLayer;
  }
  return figures;
}

/** The figures of a blob, once they are there. */
export const figuresAt = (state: ModelState, { layer, blob }: BlobPlace): BlobFigures | undefined =>
  state.figures[layer]?.[blob];

/** What a row of the layer table shows of a layer. */
export interface LayerFigures {
  layer: LayerRow;
  /** Number of values in all blobs. */
  parameters: number;
  /** Zeros in all blobs; undefined until all figures are there. */
  zeros: number | undefined;
}

export function layerFigures(layer: LayerRow, figures: ModelState['figures'][number]): LayerFigures {
  let parameters = 0;
  let zeros: number | undefined = 0;
  for (const blob of layer.blobs) {
    parameters += blob.count;
    const statistics = figures?.[blob.index]?.statistics;
    zeros =
      zeros === undefined || statistics === undefined
        ? undefined
        : zeros + statistics.count - statistics.nonZero;
  }
  return { layer, parameters, zeros };
}

/** By what each sortable column orders. */
export const sortValues: Record<string, (row: LayerFigures) => number | string> = {
  index: ({ layer }) => layer.index,
  name: ({ layer }) => layer.name,
  type: ({ layer }) => layer.type,
  parameters: ({ parameters }) => parameters,
  zeros: ({ parameters, zeros }) => (zeros === undefined || parameters === 0 ? -1 : zeros / parameters),
};

/** Tells whether all words of a filter occur in a layer's name or type. */
export function layerFilter(filter: string): (layer: LayerRow) => boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return ({ name, type, originalType }) => {
    const text = `${name} ${type} ${originalType}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
}

/** The rows that the filter lets through, in the order asked for. */
export function visibleRows(
  layers: readonly LayerRow[],
  figures: ModelState['figures'],
  filter: string,
  sort: Sort | undefined,
): LayerFigures[] {
  const passes = layerFilter(filter);
  const rows = layers.filter(passes).map((layer) => layerFigures(layer, figures[layer.index]));
  const value = sort && sortValues[sort.column];
  if (!value) return rows;
  const direction = sort.descending ? -1 : 1;
  return rows
    .map((row) => ({ row, key: value(row) }))
    .sort((a, b) => {
      const order =
        typeof a.key === 'string'
          ? a.key.localeCompare(String(b.key), undefined, { numeric: true })
          : a.key - Number(b.key);
      return order * direction || a.row.layer.index - b.row.layer.index;
    })
    .map(({ row }) => row);
}

/** Parameters and zeros over all layers; zeros are of the `known` parameters, those whose figures are there. */
export function totals(state: Pick<ModelState, 'layers' | 'figures'>): {
  parameters: number;
  zeros: number;
  known: number;
  complete: boolean;
  blobs: number;
} {
  let parameters = 0;
  let known = 0;
  let zeros = 0;
  let blobs = 0;
  let complete = true;
  for (const layer of state.layers) {
    for (const blob of layer.blobs) {
      blobs++;
      parameters += blob.count;
      const statistics = state.figures[layer.index]?.[blob.index]?.statistics;
      if (statistics) {
        known += statistics.count;
        zeros += statistics.count - statistics.nonZero;
      } else {
        complete = false;
      }
    }
  }
  return { parameters, zeros, known, complete, blobs };
}
