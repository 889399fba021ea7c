import type { PruneHint } from './caffe/prototxt/hints';
import type { Progress } from './jobs/job';
import type { Outcome, PruneParameters, PruneResult } from './jobs/prune';
import type { RestoreParameters, RestoreResult } from './jobs/restore';
import type { SampleParameters } from './jobs/sample';
import type { SourceShapesParameters } from './jobs/sourceShapes';
import type { Classification, ClassifyParams } from './jobs/classify';
import type { Keeps } from './jobs/chooseKeeps';
import type { Companions } from './jobs/companions';
import type { EvaluateParams, EvaluateResult, Evaluation } from './jobs/evaluate';
import type { KeptEvaluation } from './jobs/keptEvaluation';
import type { JointChoice } from './jobs/joint';
import type { RetrainParameters, RetrainResult } from './jobs/retrain';
import type { Achieved, Measurement, RetrainEvent, RunNotes } from './jobs/retrainSession';
import type { Snapshot } from './jobs/snapshots';
import type { SweepEvent, SweepParams } from './jobs/sweep';
import type { Ranking, SweepBaseline, SweepFigure, SweepResults, WaitingPoint } from './jobs/sweepResults';
import type { SaliencyParams } from './jobs/saliency';
import type { Thumbnail } from './jobs/thumbnails';
import type { DataState, TrainingData } from './jobs/trainingData';
import type { TrainEvent, TrainParameters, TrainResult } from './jobs/train';
import type { Phrase } from './phrase';
import type { Steer } from './rpc';
import type { Histogram } from './sparsity/histogram';
import type { TrimmedCounts } from './sparsity/magnitudeCounts';
import type { PictureLayout } from './sparsity/pictureLayout';
import type { BlobRule, Choice, Plan } from './sparsity/recipe';
import type { Statistics } from './sparsity/statistics';
import type { EngineOptions } from './tensor/createEngine';

/** Of the jobs, what the page shows. */
export type {
  Achieved,
  DataState,
  EvaluateResult,
  Evaluation,
  Keeps,
  KeptEvaluation,
  Measurement,
  Progress,
  Ranking,
  RetrainEvent,
  RetrainResult,
  RunNotes,
  SweepBaseline,
  SweepEvent,
  SweepFigure,
  Thumbnail,
  TrainingData,
  WaitingPoint,
};

/**
 * Every message between the editor, the worker process and the page follows from the two tables at the end:
 * `WorkerJobs` is what the worker does for the extension, `PageJobs` what the extension does for a model's page.
 * src/rpc.ts derives requests, events, results, errors and cancellation from them. A new job is a line in its table
 * and an entry in src/worker/jobs.ts or src/editor/pageJobs.ts; the compiler finds what is missing.
 */

/** A model on disk. */
export interface ModelFile {
  path: string;
}

export interface BlobRow {
  index: number;
  shape: number[];
  count: number;
  encoding: string;
  byteOffset: number;
  /** Whether pruning takes it unless told otherwise: the weight of a layer that multiplies by a matrix. */
  prunable: boolean;
  /** Why it cannot be trusted, when it cannot. */
  problem?: Phrase;
}

export interface LayerRow {
  index: number;
  name: string;
  type: string;
  /** The type as the file writes it. */
  originalType: string;
  phase?: 'TRAIN' | 'TEST';
  byteOffset: number;
  blobs: BlobRow[];
}

export interface ModelSummary {
  /** Name of the net; may be empty. */
  name: string;
  kind: 'V0' | 'V1' | 'V2' | 'HDF5';
  /** Of the file, in bytes. */
  size: number;
  layers: number;
  damage: { message: Phrase; layer?: string; byteOffset: number }[];
}

/** Where a blob is: index of the layer in the file, and of the blob in the layer. */
export interface BlobPlace {
  layer: number;
  blob: number;
}

/** What inspection tells of a blob. */
export interface BlobFigures extends BlobPlace {
  statistics: Statistics;
  histogram: Histogram;
  magnitudes: TrimmedCounts;
}

/** Part of a picture in cells: rows `top`..`top + height - 1`, columns `left`..`left + width - 1`. */
export interface Region {
  top: number;
  left: number;
  height: number;
  width: number;
}

/** A region of a blob's picture, scaled down to at most the size that was asked for. */
export interface Picture {
  layout: PictureLayout;
  region: Region;
  rows: number;
  columns: number;
  /** Of the values in each pixel the one with the largest |w|; plane by plane where the layout has three. */
  values: Float32Array<ArrayBuffer>;
  /** Largest finite |w| of the region. */
  scale: number;
}

export type OpenEvent = { summary: ModelSummary } | { layers: LayerRow[] };

/** What jobs that run nets take besides: the engine to compute with. */
export interface Computing {
  engine: EngineOptions;
}

/** A net and its data, by their files. */
export interface NetOnData {
  netFile: string;
  data?: string;
  workspaceFolders?: readonly string[];
}

/** A solver; without one, that which is made for the net. */
export interface SolverFiles {
  solverFile?: string;
  netFile?: string;
}

/** What a sweep has measured, and on what. */
export interface SweepFigures extends Pick<SweepResults, 'items' | 'limit' | 'ranking' | 'data'> {
  figures: SweepFigure[];
  waiting: WaitingPoint[];
  baseline: SweepBaseline;
  /** Whether every point is measured. */
  complete: boolean;
  /** Name of the file that keeps them. */
  file: string;
}

/** What changed since a sweep: its figures are not of this model any more, or not of this net. */
export type SweepChange = 'model' | 'net';

/**
 * What keep ratios are wanted: the smallest that cost each layer on its own at most so much accuracy (0..1), or a joint choice
 * that keeps at most a share of the weights, or that costs at most so much accuracy.
 */
export type KeepGoal = { each: number } | { kept: number } | { drop: number };

export interface ChosenKeeps {
  goal: KeepGoal;
  keeps: Keeps;
  /** What the joint choice really costs; absent where nothing was evaluated. */
  verified?: JointChoice;
}

/** What the worker does. */
export interface WorkerJobs {
  /** Indexes a model; a file that changed is indexed again. */
  open: { params: ModelFile; event: OpenEvent; result: undefined };
  /** Figures of the blobs of layers `from`..`to - 1`, in batches. */
  inspect: { params: ModelFile & { from: number; to: number }; event: BlobFigures[]; result: undefined };
  /** Exact counts of a blob over a range. */
  histogram: {
    params: ModelFile & BlobPlace & { min: number; max: number; bins: number };
    event: never;
    result: Histogram;
  };
  picture: {
    params: ModelFile & BlobPlace & { region?: Region; maxRows: number; maxColumns: number };
    event: never;
    result: Picture;
  };
  /** Writes a blob as .npy. */
  exportNpy: {
    params: ModelFile & BlobPlace & { target: string; replace: boolean };
    event: never;
    result: undefined;
  };
  /** Exactly what pruning would make of each chosen blob. */
  tryPruning: {
    params: Pick<PruneParameters, 'file' | 'choices' | 'seed' | 'saliency'>;
    event: Outcome;
    result: undefined;
  };
  prune: { params: PruneParameters; event: Progress; result: PruneResult };
  restore: { params: RestoreParameters; event: Progress; result: RestoreResult };
  createSample: { params: SampleParameters; event: Progress; result: string[] };
  /** The same rule for each blob that pruning takes unless told otherwise. */
  choices: { params: ModelFile & { rule: BlobRule }; event: never; result: Choice[] };
  /** Names of the files that pruning this model would write and that are there already. */
  existingOutputs: { params: ModelFile; event: never; result: string[] };
  /** Shapes of the tops of a data layer. */
  sourceShapes: { params: SourceShapesParameters; event: never; result: number[][] };
  /** SHA-256 of a file. */
  digest: { params: ModelFile; event: never; result: string };
  /** What lies beside a model that it can be run with. */
  companions: { params: ModelFile; event: never; result: Companions };
  evaluate: {
    params: NetOnData & Pick<EvaluateParams, 'models' | 'limit' | 'results'> & Computing;
    event: Progress;
    result: EvaluateResult;
  };
  /** The evaluation that a file keeps; undefined where there is none. */
  keptEvaluation: { params: { results: string }; event: never; result: KeptEvaluation | undefined };
  thumbnails: { params: NetOnData & { items: number[] }; event: never; result: Thumbnail[] };
  classify: { params: ClassifyParams & Computing; event: never; result: Classification };
  /** Measures the saliency of the weights on the data that the net is trained on, and writes it to a file. */
  saliency: {
    params: NetOnData & { model: string; target: string } & Pick<SaliencyParams, 'calibration'> & Computing;
    event: Progress;
    result: undefined;
  };
  /** Results are kept beside the model and gone on from, unless it is to start anew. */
  sweep: {
    params: NetOnData &
      Pick<SweepParams, 'model' | 'layers' | 'limit' | 'ranking' | 'calibration'> & {
        anew: boolean;
      } & Computing;
    event: SweepEvent;
    result: undefined;
  };
  /** Yields what earlier sweeps of the model left, if anything; then tells what changed since. */
  sweepFigures: { params: { model: string; netFile?: string }; event: SweepFigures; result: SweepChange[] };
  chooseKeeps: {
    params: NetOnData & { model: string; goal: KeepGoal } & Computing;
    event: Progress;
    result: ChosenKeeps;
  };
  /** Finds the data of a training, and counts their items. */
  trainingData: {
    params: SolverFiles & Pick<RetrainParameters, 'trainData' | 'testData' | 'workspaceFolders'>;
    event: never;
    result: TrainingData;
  };
  /** Pauses and stops as its control says. */
  retrain: {
    params: Omit<RetrainParameters, 'solver' | 'solverFile'> & SolverFiles & Computing;
    event: RetrainEvent;
    result: RetrainResult;
  };
  train: { params: Omit<TrainParameters, 'solver'> & Computing; event: TrainEvent; result: TrainResult };
  /** The snapshots that the training of a solver can go on from, the one written last first. */
  snapshots: {
    params: Pick<TrainParameters, 'solverFile' | 'workspaceFolders'>;
    event: never;
    result: Snapshot[];
  };
}

/** A recipe beside a model says how it was made of another one. */
export interface Origin {
  /** Name of the model that was pruned. */
  original: string;
  plan: Plan;
  /** Whether the original is there and is, by its digest, the one that was pruned. */
  available: boolean;
  /** Why it cannot be compared with, when it cannot. */
  problem?: string;
}

/** What the prototxt that is paired with a model asks of pruning. */
export interface ModelHints {
  /** Name of the prototxt. */
  file: string;
  /** By layer name, each with the file's default where the layer says nothing itself. */
  layers: Readonly<Record<string, PruneHint>>;
}

/** The hint to write for a layer; null where the layer is to be left alone. */
export type HintEntry = readonly [layer: string, hint: PruneHint | null];

/** What may happen to a page's model while it is shown. */
export type PageEvent =
  /** Hints were written, changed or taken away; undefined where there are none. */
  | { kind: 'hints'; hints: ModelHints | undefined }
  | { kind: 'changedOnDisk' }
  | { kind: 'trusted' }
  | { kind: 'deleted' }
  /** Files beside it came, changed or went: what it can be run and compared with may be other files now. */
  | { kind: 'companions' }
  /** A command asks for one of the views, and for a layer in it. It is told again to a page that comes back; `request` tells one from another. */
  | { kind: 'show'; view: string; layer?: string; request: number };

/** The files that a model is run with, by the names that the page shows. */
export interface RunFiles {
  net?: string;
  /** Whether the net names its data itself. */
  netHasData: boolean;
  /** Data chosen instead of the net's own, to test on and to train on. */
  data?: string;
  trainData?: string;
  solver?: string;
  /** Models to compare with. */
  compared: string[];
  /** Of a retraining that was interrupted and can go on. `run`: what it was asked for. */
  checkpoint?: { iteration: number; run?: RunNotes };
  /** What the engine is, as the settings choose it. */
  engine: string;
}

export type RunFile = 'net' | 'data' | 'trainData' | 'solver' | 'compared';

export interface EvaluateRequest {
  limit?: number;
}

/** What is to be pruned, as the page tells it: the saliencies to rank by are those beside the model. */
export type PagePlan = Omit<Plan, 'saliency'> & { bySaliency: boolean };

/** Saliencies that were measured. */
export interface SaliencyState {
  /** Name of the file beside the model. */
  file: string;
  /** When they were written, in milliseconds since 1970. */
  at: number;
  /** Whether the model changed since. */
  outdated: boolean;
}

export interface SweepRequest {
  /** Keep ratios by layer. */
  layers: Record<string, number[]>;
  limit?: number;
  ranking: Ranking;
  /** Start anew, rather than go on from the results that are there. */
  anew: boolean;
}

export type RetrainRequest = RunNotes & {
  /** Go on from the checkpoint of an interrupted run. */
  resume: boolean;
};

/** The long jobs of a model's page. They go on while the page is hidden. */
export type LongJob = 'evaluate' | 'saliency' | 'sweep' | 'chooseKeeps' | 'retrain';

/** What the extension does for a model's page. The page never names a file: it is the editor's. */
export interface PageJobs {
  open: { params: { again: boolean }; event: OpenEvent; result: undefined };
  inspect: { params: { from: number; to: number }; event: BlobFigures[]; result: undefined };
  histogram: {
    params: BlobPlace & { min: number; max: number; bins: number };
    event: never;
    result: Histogram;
  };
  picture: {
    params: BlobPlace & { region?: Region; maxRows: number; maxColumns: number };
    event: never;
    result: Picture;
  };
  /** Asks where to, and writes a blob as .npy; the name written, or undefined when the user thought better of it. */
  saveBlob: { params: BlobPlace & { name: string }; event: never; result: string | undefined };
  /** Asks where to, and writes a text. */
  saveText: { params: { name: string; text: string }; event: never; result: string | undefined };
  copyText: { params: { text: string }; event: never; result: undefined };
  /** Yields what happens to the model until it is cancelled. */
  watch: { params: undefined; event: PageEvent; result: undefined };
  tryPruning: { params: Omit<PagePlan, 'encoding'>; event: Outcome; result: undefined };
  /** Prunes the model; `undefined` when the user thought better of it at the question about existing files. */
  prune: { params: PagePlan; event: Progress; result: PruneResult | undefined };
  /** The hints for the model; undefined when no prototxt with hints is paired with it. */
  hints: { params: undefined; event: never; result: ModelHints | undefined };
  /** Writes hints into the prototxt that is paired with the model, as one edit that can be undone; the file's name. */
  writeHints: { params: { hints: readonly HintEntry[] }; event: never; result: string | undefined };
  /** What the recipe beside a pruned model tells; undefined when there is none. */
  origin: { params: undefined; event: never; result: Origin | undefined };
  /** Figures of the model that this one was pruned from. */
  inspectOriginal: { params: { from: number; to: number }; event: BlobFigures[]; result: undefined };
  /** Asks where to, and writes bytes, such as a picture's, that come in base64. */
  saveBytes: { params: { name: string; base64: string }; event: never; result: string | undefined };
  runFiles: { params: undefined; event: never; result: RunFiles };
  /** What is known of the data of a retraining with the chosen files. */
  trainingData: { params: undefined; event: never; result: TrainingData };
  /** Lets the user choose a file to run with. */
  chooseFile: { params: { what: RunFile }; event: never; result: RunFiles };
  /**
   * The long jobs. Without a request the page follows the one that runs or that ended last: it gets what that told from its
   * beginning; the result is undefined where there was none.
   */
  evaluate: {
    params: EvaluateRequest | undefined;
    event: Progress;
    /** Where none ran since the model was opened, the one that is kept beside it. */
    result: EvaluateResult | KeptEvaluation | undefined;
  };
  /** Without a request and where it was not measured since the model was opened: the saliencies beside the model. */
  saliency: { params: object | undefined; event: Progress; result: SaliencyState | undefined };
  sweep: { params: SweepRequest | undefined; event: SweepEvent; result: undefined };
  sweepFigures: { params: undefined; event: SweepFigures; result: SweepChange[] };
  chooseKeeps: { params: { goal: KeepGoal } | undefined; event: Progress; result: ChosenKeeps | undefined };
  retrain: { params: RetrainRequest | undefined; event: RetrainEvent; result: RetrainResult | undefined };
  steer: { params: { job: LongJob; to: Steer | 'cancel' }; event: never; result: undefined };
  /** Pictures of items of the data that the model was evaluated on. */
  thumbnails: { params: { items: number[] }; event: never; result: Thumbnail[] };
  /** Classifies a picture that is given, or that the user chooses. */
  classify: {
    params: { name: string; base64: string } | undefined;
    event: never;
    result: (Classification & { image: string }) | undefined;
  };
  /** Opens the model that a retraining wrote. */
  openRetrained: { params: undefined; event: never; result: undefined };
}

/** What the page is given with its HTML. */
export interface PageStart {
  /** File name, for headings. */
  fileName: string;
  /** Translations of the page's texts by their English; empty for English. */
  texts: Record<string, string>;
  /** Language tag for numbers and dates. */
  language: string;
  /** Whether the workspace is trusted: jobs that read other files of it wait for that. */
  trusted: boolean;
}

/** What the page that draws a net is given. */
export interface GraphStart extends PageStart {
  /** The prototxt; the page keeps it, so that the panel can come back with the window. */
  uri: string;
}

/** A layer of a net that is drawn. */
export interface GraphLayer {
  /** Position among the layers of the net's phase. */
  id: number;
  name: string;
  type: string;
  /** What kind of work it does: for its colour. */
  family: GraphFamily;
  /** Shapes of its tops; undefined where they are not known. */
  tops: { name: string; shape?: readonly number[] }[];
  /** `NaN` where shapes do not tell. */
  parameters: number;
  macs: number;
}

export type GraphFamily =
  'data' | 'weights' | 'pooling' | 'activation' | 'normalization' | 'arrange' | 'loss' | 'other';

/** A box: a layer, and below it those that work on its top in place. */
export interface GraphNode {
  id: number;
  layers: GraphLayer[];
}

export interface GraphEdge {
  from: number;
  to: number;
  blob: string;
  shape?: readonly number[];
}

export interface GraphNet {
  name: string;
  phase: 'TRAIN' | 'TEST';
  nodes: GraphNode[];
  edges: GraphEdge[];
}

export type GraphEvent =
  /** The net as it is now, or why it cannot be drawn. `weights`: the model that is paired with it. */
  | { kind: 'net'; net: GraphNet; weights?: string }
  | { kind: 'problem'; message: string }
  /** The cursor in the text is in this layer. */
  | { kind: 'selected'; layer: string };

/** What the extension does for the page that draws a net. */
export interface GraphJobs {
  /** Yields the net, in the phase that is asked for, whenever it changes, and what is selected in the text. */
  watch: { params: { phase?: 'TRAIN' | 'TEST' }; event: GraphEvent; result: undefined };
  /** Selects a layer in the text. */
  select: { params: { layer: string; phase: 'TRAIN' | 'TEST' }; event: never; result: undefined };
  /** Share of zeros among the weights by layer, as they are read. */
  zeros: { params: undefined; event: [layer: string, share: number][]; result: undefined };
  /** Asks where to, and writes the picture; the name written, or undefined. */
  saveSvg: { params: { svg: string }; event: never; result: string | undefined };
}
