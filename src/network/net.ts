import { CaffeError } from '../caffe/errors';
import type { ByteSource } from '../caffe/byteSource';
import type { LayerParameter, NetParameter } from '../caffe/messages';
import type { Model } from '../caffe/model';
import { Random } from '../caffe/random';
import { phrase } from '../phrase';
import type { Engine } from '../tensor/engine';
import { NetBlob } from './blob';
import { fill } from './filler';
import type { NetPurpose } from './graph';
import type { BackwardPass, Blob, LayerPlan, LayerType, ParamPlan } from './layer';
import { count, fail, isKnown, refuse, shapesDiffer, shapeText, type Shape } from './shape';
import {
  automaticTop,
  inferComputedLayers,
  planLayer,
  type InferredLayer,
  type ShapeSources,
} from './shapes';
import { copyWeights } from './weights';

export interface NetOptions extends ShapeSources, NetPurpose {
  engine: Engine;
  /** Shapes for the tops of Input layers, by the name of the blob, instead of those in the prototxt. */
  inputShapes?: Record<string, Shape>;
  /** Memory for gradients; by default in TRAIN only. */
  gradients?: boolean;
  /** Seed of the fillers and of dropout. */
  seed?: number;
}

/** A learnable blob that a layer owns (others may share it), as Caffe's `learnable_params`. */
export interface NetParam {
  layer: string;
  /** Position among the layer's blobs. */
  index: number;
  blob: Blob;
  lrMult: number;
  decayMult: number;
}

/** The values of one layer, for a model file. */
export interface LayerWeights {
  name: string;
  type: string;
  blobs: { shape: Shape; data: Float32Array }[];
}

/** A layer of a net with its blobs. */
interface Step {
  layer: LayerParameter;
  type: LayerType;
  plan: LayerPlan;
  /** The steps right behind it whose work it does along, where all of them are to be done. */
  followers: Step[];
  /** Shapes of the bottoms that the plan was made for. */
  plannedFor: Shape[];
  pass: BackwardPass;
  /** Weight of each top in the loss. */
  lossWeights: number[];
  needsBackward: boolean;
}

/** Where a NaN or an infinity appears first. */
export interface NotFinite {
  layer: string;
  what: 'output' | 'weights' | 'gradient';
}

/**
 * A net that runs: layers with memory for their blobs, as caffe::Net. Make one for each purpose; nets on the same
 * engine may share their weights ({@link Net.shareWeights}).
 */
export class Net {
  readonly name: string;
  /** Blobs that no layer reads, in order of their names. */
  readonly outputs: string[];
  /** What a solver works on, in Caffe's order. */
  readonly params: NetParam[] = [];
  private readonly engine: Engine;
  private readonly gradients: boolean;
  private readonly seed: number;
  private readonly random: Random;
  private readonly steps: Step[] = [];
  private readonly blobs = new Map<string, NetBlob>();
  /** Everything that holds memory. */
  private readonly owned = new Set<NetBlob>();
  private readonly sources: ShapeSources;
  private readonly purpose: NetPurpose;

  /**
   * Sets the net up: shapes, memory, fillers.
   * @throws CaffeError where Caffe would refuse the net, a layer type is not known, or a shape is open
   */
  constructor(parameter: NetParameter, options: NetOptions) {
    const { engine, phase, inputShapes = {}, sourceShapes, infogain } = options;
    this.name = parameter.name ?? '';
    this.engine = engine;
    this.purpose = { phase, level: options.level, stages: options.stages };
    this.gradients = options.gradients ?? phase === 'TRAIN';
    this.seed = options.seed ?? 1;
    this.random = new Random(this.seed);
    this.sources = {
      gradients: this.gradients,
      infogain,
      sourceShapes: (layer) =>
        sourceShapes?.(layer) ??
        (layer.top.some((name) => name in inputShapes)
          ? layer.top.map(
              (name) => inputShapes[name] ?? fail(layer, phrase`no shape is given for blob '${name}'`),
            )
          : undefined),
    };
    const inferred = inferComputedLayers(parameter, this.purpose, this.sources);
    this.outputs = inferred.outputs;
    try {
      for (const layer of inferred.layers) this.addLayer(layer);
      this.shareParams();
      this.planBackward(parameter.force_backward ?? false);
      this.fuse();
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Names of all blobs. */
  get blobNames(): string[] {
    return [...this.blobs.keys()];
  }

  /** The layers as they run, Splits included. */
  get layers(): LayerParameter[] {
    return this.steps.map(({ layer }) => layer);
  }

  /** The layers whose tops come from outside through {@link Net.feed}. */
  get dataLayers(): LayerParameter[] {
    return this.steps
      .filter(({ type, layer }) => type.source && layer.type !== 'Input')
      .map(({ layer }) => layer);
  }

  /** @throws CaffeError for a blob that the net does not have */
  blob(name: string): Blob {
    const blob = this.blobs.get(name);
    if (blob) return blob;
    throw new CaffeError(phrase`the net has no blob "${name}"`, {
      advice: phrase`Its blobs are ${this.blobNames.join(', ')}`,
    });
  }

  /** The learnable blobs of a layer, shared ones included. */
  paramsOf(layer: string): Blob[] {
    return this.steps.find((step) => step.layer.name === layer)?.pass.params ?? [];
  }

  /** Sets the values of an input, and its shape; the rest of the net adapts at the next pass. */
  setInput(name: string, shape: Shape, values: Float32Array): void {
    const blob = this.blob(name);
    blob.reshape(shape);
    blob.data.set(values);
  }

  /** Hands the tops of a data layer over: one for each, in order. */
  feed(layerName: string, tops: readonly { shape: Shape; data: Float32Array }[]): void {
    const step = this.steps.find(({ layer }) => layer.name === layerName);
    if (!step) throw new CaffeError(phrase`the net has no layer "${layerName}"`);
    step.pass.top.forEach((top, i) => {
      top.reshape(tops[i].shape);
      top.data.set(tops[i].data);
    });
  }

  /**
   * Computes the tops of the layers `from` to `to` (by default all), both included.
   * @returns the sum of the losses, each by its weight
   */
  forward(from?: string, to?: string): number {
    const first = from === undefined ? 0 : this.indexOf(from);
    const last = to === undefined ? this.steps.length - 1 : this.indexOf(to);
    let loss = 0;
    for (let i = first; i <= last; i++) {
      const step = this.steps[i];
      this.adapt(step);
      const { plan, pass, followers } = step;
      const along = i + followers.length <= last ? followers : [];
      for (const follower of along) this.adapt(follower);
      pass.along = {
        affines: along.flatMap((follower) => follower.plan.affine?.(follower.pass) ?? []),
        slope: along.at(-1)?.plan.slope ?? 1,
      };
      plan.forward?.(pass);
      i += along.length;
      step.lossWeights.forEach((weight, i) => {
        if (weight === 0) return;
        let sum = 0;
        for (const value of step.pass.top[i].data) sum += value;
        loss += weight * sum;
      });
    }
    return loss;
  }

  /** Computes the gradients of the loss, from the last layer back; those of the parameters are added to. */
  backward(): void {
    if (!this.gradients) throw new Error('The net has no memory for gradients');
    const done = new Set(
      this.steps.flatMap(({ pass, followers }) => followers.slice(0, pass.along.affines.length)),
    );
    for (const step of this.steps.toReversed())
      if (step.needsBackward && !done.has(step)) step.plan.backward?.(step.pass);
  }

  /** Lets layers draw anew from the net's seed and the number of an iteration, whatever was drawn before. */
  reseed(iteration: number): void {
    this.random.seed(this.seed + Math.imul(iteration, 0x9e3779b1));
  }

  /** Sets the gradients of all parameters to 0. */
  clearGradients(): void {
    for (const { blob } of this.params) blob.diff.fill(0);
  }

  /**
   * The first place, in the order of computation, with a value that is no finite number. Layers that work in
   * place hide what was there before them: their blob counts for the first layer that made it.
   */
  findNotFinite(): NotFinite | undefined {
    const bad = (values: Float32Array) => values.some((value) => !Number.isFinite(value));
    for (const { layer, pass } of this.steps) {
      if (pass.params.some(({ data }) => bad(data))) return { layer: layer.name, what: 'weights' };
      if (pass.top.some(({ data }) => bad(data))) return { layer: layer.name, what: 'output' };
    }
    for (const { layer, pass } of this.steps.toReversed())
      if (pass.params.some(({ diff }) => bad(diff))) return { layer: layer.name, what: 'gradient' };
    return undefined;
  }

  /**
   * Takes over the weights of the model's layers that the net has too, by name; others keep their fillers.
   * @returns names of the net's layers that got weights
   * @throws CaffeError when a layer's blobs do not fit
   */
  async loadWeights(source: ByteSource, model: Model): Promise<string[]> {
    const owned = new Set(this.params.map(({ blob }) => blob));
    const loaded = new Set<string>();
    for (const stored of model.layers) {
      if (stored.blobs.length === 0) continue;
      for (const { layer, pass } of this.steps) {
        if (layer.name !== stored.name) continue;
        await copyWeights(source, stored, layer, pass.params, (blob) => !owned.has(blob));
        loaded.add(layer.name);
      }
    }
    return [...loaded];
  }

  /** Uses the weights of another net of the same engine instead of its own, layer by layer by name. */
  shareWeights(other: Net): void {
    for (const { layer, pass } of this.steps) {
      const source = other.paramsOf(layer.name);
      pass.params.forEach((param, i) => {
        refuse(
          layer,
          source[i] !== undefined && shapesDiffer(param.shape, source[i].shape),
          phrase`cannot share blob ${i}: ${shapeText(param.shape)} here and ${shapeText(source[i]?.shape ?? [])} there`,
        );
        if (source[i] && param instanceof NetBlob) param.view(source[i], true);
      });
    }
  }

  /** The weights of all layers that have some, for a model file. The arrays are the net's own. */
  weights(): LayerWeights[] {
    return this.steps
      .filter(({ pass }) => pass.params.length > 0)
      .map(({ layer, pass }) => ({
        name: layer.name,
        type: layer.type,
        blobs: pass.params.map(({ shape, data }) => ({ shape, data })),
      }));
  }

  /** Gives all memory back. */
  dispose(): void {
    for (const blob of this.owned) blob.dispose();
    this.owned.clear();
    for (const { pass } of this.steps) this.freeScratch(pass.scratch);
    this.steps.length = 0;
  }

  private indexOf(layerName: string): number {
    const index = this.steps.findIndex(({ layer }) => layer.name === layerName);
    if (index < 0) throw new CaffeError(phrase`the net has no layer "${layerName}"`);
    return index;
  }

  private newBlob(shape: Shape, gradients = this.gradients): NetBlob {
    const blob = new NetBlob(this.engine, gradients, shape);
    this.owned.add(blob);
    return blob;
  }

  private addLayer({ layer, type, plan, bottoms, tops }: InferredLayer): void {
    if (!type || !plan) throw new Error(`Layer ${layer.name} has no plan, and no error either`);
    if (type.foreign !== undefined) fail(layer, type.foreign);
    tops.forEach(({ name, shape }) => {
      refuse(
        layer,
        shape === undefined || !isKnown(shape),
        shape
          ? phrase`the shape of blob '${name}' is not known: ${shapeText(shape)}`
          : phrase`the shape of blob '${name}' is not known`,
        type.source ? phrase`Choose a data source for this layer, or give the shape of the input` : undefined,
      );
    });
    const bottom = layer.bottom.map((name) => this.blob(name));
    const top = tops.map(({ name, shape, inPlace }, i) => {
      if (inPlace) return bottom[i];
      const blob = this.newBlob(shape ?? []);
      if (name !== automaticTop) this.blobs.set(name, blob);
      return blob;
    });
    const params = (plan.params ?? []).map((param) => this.newParam(layer, param));
    const given = layer.loss_weight;
    const lossWeights = top.map((_, i) => given[i] ?? (type.loss && i === 0 && given.length === 0 ? 1 : 0));
    const step: Step = {
      layer,
      type,
      plan,
      followers: [],
      plannedFor: bottoms.map((shape) => shape ?? []),
      pass: {
        engine: this.engine,
        bottom,
        top,
        params,
        scratch: this.newScratch(plan),
        random: this.random,
        along: { affines: [], slope: 1 },
        propagate: bottom.map(() => false),
        learn: params.map(() => false),
      },
      lossWeights,
      needsBackward: false,
    };
    this.steps.push(step);
    this.linkTops(step);
  }

  private newParam(layer: LayerParameter, { shape, filler }: ParamPlan): NetBlob {
    const blob = this.newBlob(shape);
    try {
      fill(filler, shape, blob.data, this.random);
    } catch (error) {
      if (error instanceof CaffeError) fail(layer, error.what, error.advice);
      throw error;
    }
    return blob;
  }

  private newScratch(plan: LayerPlan): Record<string, Float32Array> {
    return Object.fromEntries(
      Object.entries(plan.scratch ?? {}).map(([name, size]) => [name, this.engine.allocate(size)]),
    );
  }

  private freeScratch(scratch: Record<string, Float32Array>): void {
    for (const array of Object.values(scratch)) this.engine.free(array);
  }

  /** Makes tops views where the plan says so, and sets the gradients of the losses. */
  private linkTops({ plan, pass, lossWeights }: Step): void {
    pass.top.forEach((top, i) => {
      if (plan.shares && top instanceof NetBlob && top !== pass.bottom[0])
        top.view(pass.bottom[0], plan.shares === 'all');
      if (lossWeights[i] !== 0) top.diff.fill(lossWeights[i]);
    });
  }

  /** Plans a layer anew when its bottoms have got other shapes since. */
  private adapt(step: Step): void {
    const { layer, type, pass, plannedFor } = step;
    if (pass.bottom.every(({ shape }, i) => shape === plannedFor[i])) return;
    const shapes = pass.bottom.map(({ shape }) => shape);
    const plan = planLayer(layer, type, shapes, {
      ...this.sources,
      phase: layer.phase ?? this.purpose.phase,
    });
    pass.params.forEach(({ shape }, i) => {
      const wanted = plan.params?.[i].shape ?? [];
      refuse(
        layer,
        shapesDiffer(shape, wanted) && count(shape) !== count(wanted),
        phrase`an input of ${shapes.map(shapeText).join(', ')} does not fit weights of ${shapeText(shape)}: it would need ${shapeText(wanted)}`,
      );
    });
    pass.top.forEach((top, i) => {
      if (top !== pass.bottom[i]) top.reshape(plan.tops[i]);
    });
    const sizes = Object.entries(plan.scratch ?? {});
    if (sizes.some(([name, size]) => pass.scratch[name].length !== size)) {
      this.freeScratch(pass.scratch);
      pass.scratch = this.newScratch(plan);
    }
    step.plan = plan;
    step.plannedFor = shapes;
    this.linkTops(step);
  }

  /** Ties parameters of the same name together and lists those that are owned, as `Net::AppendParam`. */
  private shareParams(): void {
    const owners = new Map<string, NetParam & { hasLr: boolean; hasDecay: boolean }>();
    for (const { layer, plan, pass } of this.steps) {
      pass.params.forEach((blob, index) => {
        const spec = layer.type === 'BatchNorm' ? {} : (layer.param[index] ?? {});
        const owner = spec.name ? owners.get(spec.name) : undefined;
        if (owner) {
          const agree = (known: boolean, ours: number | undefined, theirs: number, what: string) => {
            refuse(
              layer,
              known && ours !== undefined && ours !== theirs,
              phrase`shared param '${spec.name ?? ''}' has mismatched ${what}: ${ours ?? ''} here and ${theirs} in layer '${owner.layer}'`,
            );
            return ours ?? theirs;
          };
          owner.lrMult = agree(owner.hasLr, spec.lr_mult, owner.lrMult, 'lr_mult');
          owner.decayMult = agree(owner.hasDecay, spec.decay_mult, owner.decayMult, 'decay_mult');
          owner.hasLr ||= spec.lr_mult !== undefined;
          owner.hasDecay ||= spec.decay_mult !== undefined;
          if (blob instanceof NetBlob) blob.view(owner.blob, true);
          return;
        }
        const learnable = plan.params?.[index].learnable !== false;
        const param = {
          layer: layer.name,
          index,
          blob,
          lrMult: learnable ? (spec.lr_mult ?? 1) : 0,
          decayMult: spec.decay_mult ?? 1,
          hasLr: spec.lr_mult !== undefined,
          hasDecay: spec.decay_mult !== undefined,
        };
        if (spec.name) owners.set(spec.name, param);
        this.params.push(param);
      });
    }
  }

  /**
   * Finds which layers, bottoms and parameters take part in backward, as Net::Init: those between a parameter
   * that learns (or what `propagate_down` or `force_backward` asks for) and a loss.
   */
  private planBackward(force: boolean): void {
    const needs = new Map<Blob, boolean>();
    for (const step of this.steps) {
      const { layer, plan, pass } = step;
      pass.propagate = pass.bottom.map((blob, i) => layer.propagate_down[i] ?? needs.get(blob) ?? false);
      pass.learn = pass.params.map(
        (_, i) => plan.params?.[i].learnable !== false && (force || (layer.param[i]?.lr_mult ?? 1) !== 0),
      );
      step.needsBackward = pass.bottom.some((blob) => needs.get(blob) ?? false) || pass.learn.includes(true);
      if (step.needsBackward) for (const blob of pass.top) needs.set(blob, true);
    }
    const underLoss = new Set<Blob>();
    const skipped = new Set<Blob>();
    for (const step of this.steps.toReversed()) {
      const { pass, lossWeights } = step;
      const contributes = pass.top.some((blob, i) => lossWeights[i] !== 0 || underLoss.has(blob));
      const skips = pass.top.every((blob) => skipped.has(blob));
      if (step.needsBackward && skips) pass.propagate.fill(false);
      if (skips || !contributes) step.needsBackward = false;
      pass.bottom.forEach((blob, i) => {
        if (contributes) underLoss.add(blob);
        else pass.propagate[i] = false;
        if (!pass.propagate[i]) skipped.add(blob);
      });
    }
    for (const step of this.steps) {
      const { layer, type, plan, pass } = step;
      if (force) {
        step.needsBackward = true;
        pass.propagate = pass.propagate.map((wanted, i) => wanted || !type.noGradient?.includes(i));
      }
      if (!step.needsBackward || !this.gradients) continue;
      pass.propagate.forEach((wanted, i) => {
        refuse(
          layer,
          wanted && (type.noGradient?.includes(i) ?? false),
          phrase`${layer.type} cannot backpropagate to bottom ${i}, '${layer.bottom[i]}'`,
          phrase`Set propagate_down: false for it, or take it from a layer that does not learn`,
        );
      });
      refuse(
        layer,
        !force && !plan.backward && plan.shares !== 'all' && pass.propagate.includes(true),
        phrase`${layer.type} has no gradient, but a layer below it is to learn`,
      );
    }
  }

  /** Finds the layers that others do along: in place, so that nobody misses the values in between. */
  private fuse(): void {
    this.steps.forEach((step, i) => {
      const { plan, pass, followers } = step;
      if (!plan.takesOver || pass.top.length !== 1) return;
      for (const next of this.steps.slice(i + 1)) {
        const { bottom, top } = next.pass;
        const inPlace = bottom.length === 1 && bottom[0] === pass.top[0] && top[0] === pass.top[0];
        if (!inPlace || next.lossWeights.some((weight) => weight !== 0)) return;
        // Backward along needs gradients that are wanted all the way.
        const backward = step.needsBackward && pass.propagate[0] && next.pass.propagate[0];
        const affine = next.plan.affine !== undefined && followers.length < plan.takesOver.affines;
        if (affine ? this.gradients && !backward : next.plan.slope === undefined) return;
        followers.push(next);
        if (!affine) return;
      }
    });
  }
}
