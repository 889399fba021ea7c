import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { CaffeError } from '../caffe/errors';
import { phrase } from '../phrase';
import { defaultKeeps } from '../sparsity/sensitivity';
import { digestOf } from './digest';
import type { ComputeContext, Job, Progress } from './job';
import { LayerPruner, prunableLayers } from './layerPruner';
import { digestOfNet, readNetFile } from './netFile';
import { loadWeights } from './loadWeights';
import { DEFAULT_SAMPLES, saliency, type Calibration, type Saliency } from './saliency';
import { writeSaliency } from './saliencyFile';
import { restartIndex } from './suffix';
import {
  baselineOf,
  figuresOf,
  loadSweep,
  orderPoints,
  requireSameSweep,
  saveSweep,
  type Ranking,
  type SweepBaseline,
  type SweepFigure,
  type SweepPoint,
  type SweepResults,
  type WaitingPoint,
  waitingOf,
} from './sweepResults';
import { accuracyOf, addBatch, noSums, type Sums } from './tally';
import { TestNet, type TestBatch, type TestSource } from './testNet';

export interface SweepParams extends TestSource {
  model: string;
  /** Keep ratios by layer; without it, {@link defaultKeeps} of every layer that can be pruned. */
  layers?: Record<string, number[]>;
  /** Where results are kept; a sweep that finds its own results there goes on from them. */
  results?: string;
  /** Takes no notice of results that are there, and replaces them once there are others. */
  anew?: boolean;
  /** The part of the points that is measured here: shard `index` (from 1 on) of `count`. */
  shard?: { index: number; count: number };
  /** Items to measure on; all by default. */
  limit?: number;
  /** How weights are ordered, magnitude by default; for saliency, what it is measured on. */
  ranking?: Ranking;
  calibration?: Calibration;
  /** Where a saliency that was measured is left, for pruning by it. */
  saliencyFile?: string;
  /** A point is left once its accuracy is below this fraction of the whole net's. */
  collapse?: number;
}

export interface SweepEvent extends Progress {
  /** All points that were measured on some items so far. */
  figures: SweepFigure[];
  waiting: WaitingPoint[];
  baseline: SweepBaseline;
}

/** Items after which a point may be given up. */
const MIN_ITEMS = 1000;
const SAVE_EVERY_MS = 5000;
const TELL_EVERY_MS = 250;

/**
 * Measures how sensitive each layer is: accuracy and loss with that layer alone pruned to each keep ratio.
 *
 * Batch by batch the whole net runs once; then, from the last layer to the first, each pruned variant runs from its layer
 * on, over what the layers before it gave. So nothing is computed twice, the results are exactly those of whole passes,
 * and all curves sharpen together.
 */
export async function* sweep(params: SweepParams, context: ComputeContext): Job<SweepEvent, SweepResults> {
  const { signal, engine } = context;
  let measured: Saliency | undefined;
  if (params.ranking === 'saliency') {
    const job = saliency(params, context);
    let step = await job.next();
    for (; step.done !== true; step = await job.next()) {
      yield {
        ...step.value,
        message: phrase`saliency: ${step.value.message}`,
        figures: [],
        waiting: [],
        baseline: baselineOf(noSums()),
      };
    }
    measured = step.value;
    if (params.saliencyFile !== undefined)
      await writeSaliency(params.saliencyFile, measured, { replace: true, signal });
  }
  const test = await TestNet.open(params, { engine });
  try {
    await loadWeights(test.net, params.model, signal);
    const results = await prepare(params, test, signal);
    const run = new SweepRun(test, results, params, measured);
    yield* run.measure(signal);
    return results;
  } finally {
    await test.dispose();
  }
}

/** The sweep's results before it begins: the points to measure, or what an earlier run left of them. */
async function prepare(params: SweepParams, test: TestNet, signal: AbortSignal): Promise<SweepResults> {
  const { shard, limit = Infinity, ranking = 'magnitude' } = params;
  const prunable = new Map(prunableLayers(test.net).map((layer) => [layer.layer, layer]));
  const wanted =
    params.layers ?? Object.fromEntries([...prunable].map(([name, layer]) => [name, defaultKeeps(layer)]));
  const points: SweepPoint[] = [];
  const weights: Record<string, number> = {};
  for (const [name, keeps] of Object.entries(wanted)) {
    const layer = prunable.get(name);
    if (layer === undefined) {
      throw new CaffeError(phrase`The net has no such layer with weights to prune`, {
        file: params.netFile,
        layer: name,
        advice: phrase`Its layers are ${[...prunable.keys()].join(', ')}`,
      });
    }
    weights[name] = layer.weights;
    for (const keep of keeps) {
      if (!(keep >= 0 && keep <= 1)) {
        throw new CaffeError(phrase`The keep ratio ${keep} is not between 0 and 1`, { layer: name });
      }
      points.push({ layer: name, keep, kept: 0, sums: noSums(), state: 'open' });
    }
  }
  const ordered = orderPoints(points);
  const fresh: SweepResults = {
    format: 'caffe-pruner sweep',
    version: 1,
    model: { file: params.model, sha256: await digestOf(params.model, signal) },
    net: { file: params.netFile, sha256: digestOfNet(params.net ?? (await readNetFile(params.netFile))) },
    data: test.name,
    items:
      test.count === undefined && limit === Infinity ? undefined : Math.min(test.count ?? Infinity, limit),
    limit: params.limit,
    ranking,
    samples: ranking === 'saliency' ? (params.calibration?.samples ?? DEFAULT_SAMPLES) : undefined,
    weights,
    baseline: { ...noSums(), done: false },
    points: shard === undefined ? ordered : ordered.filter((_, i) => i % shard.count === shard.index - 1),
  };
  if (params.anew || params.results === undefined || !existsSync(params.results)) return fresh;

  const earlier = await loadSweep(params.results);
  requireSameSweep(fresh, earlier, params.results);
  const keyOf = ({ layer, keep }: SweepPoint) => `${layer}\n${keep}`;
  const asked = new Set(fresh.points.map(keyOf));
  // What is measured stays; what was begun and is not asked for any more is left.
  const kept = earlier.points.filter((point) => point.state !== 'open' || asked.has(keyOf(point)));
  const known = new Set(kept.map(keyOf));
  const added = fresh.points.filter((point) => !known.has(keyOf(point)));
  return {
    ...earlier,
    weights: { ...earlier.weights, ...weights },
    points: orderPoints([...kept, ...added]),
  };
}

class SweepRun {
  private readonly layers: ReadonlyMap<string, { pruner: LayerPruner; start: number }>;
  /** Names of the layers with points, in the order they are measured: from the back of the net. */
  private readonly order: string[];
  private readonly names: string[];

  constructor(
    private readonly test: TestNet,
    private readonly results: SweepResults,
    private readonly params: SweepParams,
    saliency: Saliency | undefined,
  ) {
    const { net } = test;
    const swept = [...new Set(results.points.map(({ layer }) => layer))];
    this.layers = new Map(
      swept.map((layer) => [
        layer,
        { pruner: new LayerPruner(net, layer, saliency?.get(layer)), start: restartIndex(net, layer) },
      ]),
    );
    this.order = swept.toSorted((a, b) => this.layers.get(b)!.start - this.layers.get(a)!.start);
    this.names = net.layers.map(({ name }) => name);
  }

  async *measure(signal: AbortSignal): AsyncGenerator<SweepEvent, void> {
    const { test, results, params } = this;
    const { baseline, points } = results;
    const open = () => points.filter(({ state }) => state === 'open');
    let position = Math.min(...[baseline, ...open().map(({ sums }) => sums)].map(({ items }) => items));
    if (open().length === 0 && baseline.done) return;
    const begin = performance.now();
    const before = this.left();
    const event = () => this.event(position, before, (performance.now() - begin) / 1000);
    let saved = begin;
    let told = 0;
    try {
      for await (const batch of test.batches(signal, position, params.limit)) {
        for (const _ of this.measureBatch(batch, position)) {
          // One batch can take minutes: between its passes there is time to tell, and to see that it is cancelled.
          if (performance.now() - told < TELL_EVERY_MS) continue;
          yield event();
          await setImmediate();
          signal.throwIfAborted();
          told = performance.now();
        }
        position += batch.items.length;
        this.dropCollapsed();
        if (params.results !== undefined && performance.now() - saved >= SAVE_EVERY_MS) {
          await saveSweep(params.results, results);
          saved = performance.now();
        }
      }
      baseline.done = true;
      for (const point of open()) point.state = 'measured';
      yield event();
    } finally {
      for (const { pruner } of this.layers.values()) pruner.restore();
      if (params.results !== undefined) await saveSweep(params.results, results);
    }
  }

  /** Measures every open point on a batch whose first item is at `position`; yields after each pass. */
  private *measureBatch(batch: TestBatch, position: number): Generator<void, void> {
    const { net } = this.test;
    const { baseline, points } = this.results;

    // The loss up to each place where a variant begins, and the whole net.
    const starts = [...new Set(this.order.map((name) => this.layers.get(name)!.start))].sort((a, b) => a - b);
    const lossBefore = new Map<number, number>();
    let loss = 0;
    for (const [i, start] of [0, ...starts].entries()) {
      const end = starts[i] ?? this.names.length;
      lossBefore.set(start, loss);
      if (end > start) loss += net.forward(this.names[start], this.names[end - 1]);
    }
    if (baseline.items === position) this.add(baseline, batch, loss);
    yield;

    for (const name of this.order) {
      const { pruner, start } = this.layers.get(name)!;
      for (const point of points) {
        if (point.layer !== name || point.state !== 'open' || point.sums.items !== position) continue;
        point.kept = pruner.prune(point.keep);
        const rest = net.forward(this.names[start]);
        this.add(point.sums, batch, lossBefore.get(start)! + rest);
        yield;
      }
      pruner.restore();
    }
  }

  private add(sums: Sums, batch: TestBatch, loss: number): void {
    const { net, scores } = this.test;
    if (!addBatch(sums, net, scores, batch, loss)) throw this.test.notFinite();
  }

  /** Leaves the points whose accuracy is gone, and those of the layer that would be sparser still. */
  private dropCollapsed(): void {
    const { baseline, points, items = Infinity } = this.results;
    const whole = accuracyOf(baseline);
    if (whole === undefined) return;
    const least = whole * (this.params.collapse ?? 0.5);
    for (const point of points) {
      const accuracy = accuracyOf(point.sums);
      if (point.state !== 'open' || accuracy === undefined) continue;
      if (point.sums.items < Math.min(MIN_ITEMS, items) || point.sums.items >= items || accuracy >= least)
        continue;
      point.state = 'collapsed';
      for (const sparser of points) {
        const below = sparser.layer === point.layer && sparser.keep < point.keep;
        if (below && sparser.state === 'open') sparser.state = 'skipped';
      }
    }
  }

  /** Items that are still to be measured, over all points; NaN where the data do not tell how many they are. */
  private left(): number {
    const { baseline, points, items = NaN } = this.results;
    const open = points.filter(({ state }) => state === 'open').map(({ sums }) => sums);
    return [baseline, ...open].reduce((sum, measured) => sum + items - measured.items, 0);
  }

  private event(position: number, before: number, seconds: number): SweepEvent {
    const { baseline, points, items } = this.results;
    const left = this.left();
    const done = before - left;
    const all = (points.length + 1) * (items ?? NaN);
    return {
      fraction: Number.isNaN(left) ? 0 : 1 - left / all,
      message: items === undefined ? phrase`${position} items` : phrase`${position} of ${items} items`,
      secondsLeft: done > 0 ? (seconds / done) * left : undefined,
      figures: figuresOf(points),
      waiting: waitingOf(points),
      baseline: baselineOf(baseline),
    };
  }
}
