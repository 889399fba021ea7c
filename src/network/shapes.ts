import { CaffeError } from '../caffe/errors';
import type { LayerParameter, NetParameter } from '../caffe/messages';
import { phrase, type Part, type Phrase } from '../phrase';
import { insertSplits, layersFor, type NetPurpose } from './graph';
import type { Arity, LayerPlan, LayerType, PlanContext } from './layer';
import { layerTypes } from './registry';
import { count, fail, refuse, shapesDiffer, shapeText, type Shape } from './shape';

export { shapeText, type Shape } from './shape';
export type { NetPurpose } from './graph';

/** Name of a top that the net adds on its own; no layer can read it. */
export const automaticTop = '(automatic)';

/**
 * Plans that inference made, by layer, for the next version of a net, of which most layers are the same objects; for one
 * phase and one set of sources.
 */
export type PlansMade = WeakMap<LayerParameter, { bottoms: readonly Shape[]; plan: LayerPlan }>;

/** What is known from outside of a net, see {@link PlanContext}. */
export interface ShapeSources {
  plans?: PlansMade;
  sourceShapes?: PlanContext['sourceShapes'];
  infogain?: PlanContext['infogain'];
  gradients?: PlanContext['gradients'];
}

/** A layer of a net with what was found out about it. */
export interface InferredLayer {
  layer: LayerParameter;
  /** Undefined for an unknown type. */
  type?: LayerType;
  /** Undefined for an unknown type, unknown bottoms, or a layer that Caffe would refuse. */
  plan?: LayerPlan;
  bottoms: (Shape | undefined)[];
  tops: { name: string; shape: Shape | undefined; inPlace: boolean }[];
  /** Shapes of the learnable blobs. */
  params: Shape[];
  /** Multiply-accumulate operations of a forward pass; `NaN` when the shapes do not tell. */
  macs: number;
}

/** Every shape of a net that can be told without running it. */
export interface InferredNet {
  layers: InferredLayer[];
  /** The last shape of each blob by name. */
  blobs: Map<string, Shape | undefined>;
  /** Blobs that no layer reads, in order of their names, as Caffe's `output_blobs`. */
  outputs: string[];
  /** What Caffe would refuse, in order; later layers are looked at all the same. */
  errors: CaffeError[];
  /** Learnable values, shared ones counted once; `NaN` when the shapes do not tell. */
  parameters: number;
  macs: number;
  /** Bytes for the values of all tops, as Caffe's "Memory required for data". */
  memory: number;
}

function checkArity(layer: LayerParameter, arity: Arity, given: number, say: (number: Part) => Phrase): void {
  const [least, most] = typeof arity === 'number' ? [arity, arity] : arity;
  const bound = given < least ? least : (most ?? given);
  const number =
    least === most ? bound : given < least ? phrase`at least ${bound}` : phrase`at most ${bound}`;
  refuse(layer, given < least || given > (most ?? Infinity), say(number));
}

/** Number of tops that the net adds to those of the prototxt. */
function missingTops(layer: LayerParameter, type: LayerType): number {
  if (!type.loss) return 0;
  const arity = typeof type.tops === 'function' ? type.tops(layer) : type.tops;
  return Math.max(0, (typeof arity === 'number' ? arity : arity[0]) - layer.top.length);
}

/**
 * Sets a layer up for bottoms of the given shapes.
 * @throws CaffeError where Caffe would refuse it
 */
export function planLayer(
  layer: LayerParameter,
  type: LayerType,
  bottoms: Shape[],
  context: Omit<PlanContext, 'topCount'>,
): LayerPlan {
  const topCount = layer.top.length + missingTops(layer, type);
  const arity = (of: LayerType['bottoms']) => (typeof of === 'function' ? of(layer) : of);
  checkArity(
    layer,
    arity(type.bottoms),
    bottoms.length,
    (number) => phrase`${layer.type} takes ${number} bottom blob(s), not ${bottoms.length}`,
  );
  checkArity(
    layer,
    arity(type.tops),
    topCount,
    (number) => phrase`${layer.type} produces ${number} top blob(s), not ${topCount}`,
  );
  refuse(
    layer,
    type.topsMatchBottoms === true && topCount !== bottoms.length,
    phrase`${layer.type} produces one top for each bottom: ${bottoms.length}, not ${topCount}`,
  );
  refuse(
    layer,
    layer.loss_weight.length > 0 && layer.loss_weight.length !== topCount,
    phrase`loss_weight must be unspecified or specified once per top (${topCount}), not ${layer.loss_weight.length} times`,
  );
  refuse(
    layer,
    layer.propagate_down.length > 0 && layer.propagate_down.length !== bottoms.length,
    phrase`propagate_down must be unspecified or specified once per bottom (${bottoms.length}), not ${layer.propagate_down.length} times`,
  );
  const plan = type.plan(layer, bottoms, { ...context, topCount });
  refuse(
    layer,
    layer.param.length > (plan.params ?? []).length && layer.type !== 'BatchNorm',
    phrase`too many params specified: ${layer.param.length} for ${(plan.params ?? []).length} learnable blobs`,
  );
  return plan;
}

/** Looks the type up. @throws CaffeError naming the layer and its line when there is no such type */
export function layerTypeOf(layer: LayerParameter): LayerType {
  const type = layerTypes.get(layer.type);
  if (type !== undefined) return type;
  return fail(
    layer,
    phrase`unknown layer type "${layer.type}"`,
    phrase`Layer types are case-sensitive; check the spelling. Types of other forks than those supported cannot be run`,
  );
}

/** Checks of parameters with a name, which are shared between the layers that use it (`Net::AppendParam`). */
class SharedParams {
  private readonly owners = new Map<string, { layer: LayerParameter; shape: Shape }>();

  /** True when the parameter is the layer's own, false when another layer has it already. */
  add(layer: LayerParameter, index: number, shape: Shape): boolean {
    const { name = '', share_mode } = layer.param[index] ?? {};
    if (name === '') return true;
    const owner = this.owners.get(name);
    if (owner === undefined) {
      this.owners.set(name, { layer, shape });
      return true;
    }
    const permissive = share_mode === 'PERMISSIVE';
    refuse(
      layer,
      permissive ? Math.abs(count(shape) - count(owner.shape)) > 0 : shapesDiffer(shape, owner.shape),
      permissive
        ? phrase`cannot share param '${name}' owned by layer '${owner.layer.name}': count mismatch, ${shapeText(owner.shape)} there and ${shapeText(shape)} here`
        : phrase`cannot share param '${name}' owned by layer '${owner.layer.name}': shape mismatch, ${shapeText(owner.shape)} there and ${shapeText(shape)} here`,
    );
    return false;
  }
}

/**
 * Finds the shapes of all blobs of a net, what it learns and what it costs, without an engine. Goes on after an
 * error: what follows from an unknown shape is unknown, and not an error of its own.
 */
export function inferShapes(net: NetParameter, purpose: NetPurpose, sources: ShapeSources = {}): InferredNet {
  const errors: CaffeError[] = [];
  const attempt = <T>(action: () => T): T | undefined => {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof CaffeError)) throw error;
      errors.push(error);
      return undefined;
    }
  };
  const layers = attempt(() => layersFor(net, purpose)) ?? [];
  return inferLayers(layers, purpose, sources, errors, attempt);
}

/** {@link inferShapes} of the layers that are computed: with the Splits that Caffe inserts. */
export function inferComputedLayers(
  net: NetParameter,
  purpose: NetPurpose,
  sources: ShapeSources,
): InferredNet {
  const errors: CaffeError[] = [];
  const layers = insertSplits(layersFor(net, purpose));
  return inferLayers(layers, purpose, sources, errors, (action) => action());
}

function inferLayers(
  layers: LayerParameter[],
  { phase }: NetPurpose,
  { plans, ...sources }: ShapeSources,
  errors: CaffeError[],
  attempt: <T>(action: () => T) => T | undefined,
): InferredNet {
  const blobs = new Map<string, Shape | undefined>();
  const available = new Set<string>();
  const shared = new SharedParams();
  const planned = (layer: LayerParameter, type: LayerType, bottoms: Shape[]): LayerPlan => {
    const made = plans?.get(layer);
    if (made && sameShapes(made.bottoms, bottoms)) return made.plan;
    const plan = planLayer(layer, type, bottoms, { ...sources, phase: layer.phase ?? phase });
    // What has no bottoms depends on sources, which may become known.
    if (bottoms.length > 0) plans?.set(layer, { bottoms, plan });
    return plan;
  };
  const makers = new Map<string, LayerParameter>();
  for (const layer of layers) for (const name of layer.top) if (!makers.has(name)) makers.set(name, layer);
  const inferred = layers.map((layer): InferredLayer => {
    const type = attempt(() => layerTypeOf(layer));
    let connected = true;
    const bottoms = layer.bottom.map((name, index) => {
      attempt(() => {
        // Only the net before the Splits may read a blob twice; there `available` is never emptied.
        if (available.has(name)) return;
        connected = false;
        fail(
          layer,
          phrase`unknown bottom blob '${name}' (bottom index ${index})`,
          bottomAdvice(makers.get(name)),
        );
      });
      return blobs.get(name);
    });
    const known = bottoms.every((shape) => shape !== undefined);
    const plan = type && connected && known ? attempt(() => planned(layer, type, bottoms)) : undefined;
    const names = [
      ...layer.top,
      ...new Array<string>(type ? missingTops(layer, type) : 0).fill(automaticTop),
    ];
    const tops = names.map((name, index) => {
      const inPlace = layer.bottom[index] === name;
      const shape = plan?.tops[index];
      if (name === automaticTop) return { name, shape, inPlace };
      attempt(() =>
        refuse(
          layer,
          !inPlace && blobs.has(name),
          phrase`top blob '${name}' produced by multiple sources`,
          phrase`Give this top another name, or make the layer in-place by reading the blob as well`,
        ),
      );
      blobs.set(name, shape);
      available.add(name);
      return { name, shape, inPlace };
    });
    const params = (plan?.params ?? []).map(({ shape }) => shape);
    return { layer, type, plan, bottoms, tops, params, macs: plan ? (plan.macs ?? 0) : NaN };
  });
  let parameters = 0;
  for (const { layer, plan, params } of inferred) {
    if (!plan) parameters = NaN;
    params.forEach((shape, index) => {
      attempt(() => {
        if (shared.add(layer, index, shape)) parameters += count(shape);
      });
    });
  }
  const outputs = new Set<string>();
  for (const { layer, tops } of inferred) {
    for (const name of layer.bottom) {
      outputs.delete(name);
    }
    for (const { name } of tops) if (name !== automaticTop) outputs.add(name);
  }
  const total = (value: (layer: InferredLayer) => number) =>
    inferred.reduce((sum, layer) => sum + value(layer), 0);
  return {
    layers: inferred,
    blobs,
    outputs: [...outputs].sort(),
    errors,
    parameters,
    macs: total(({ macs }) => macs),
    memory: 4 * total(({ tops }) => tops.reduce((sum, { shape }) => sum + (shape ? count(shape) : NaN), 0)),
  };
}

const sameShapes = (some: readonly Shape[], others: readonly Shape[]): boolean =>
  some.length === others.length && some.every((shape, index) => isSameShape(shape, others[index]));

/** Unknown sizes are alike. */
const isSameShape = (one: Shape, other: Shape): boolean =>
  one === other || (one.length === other.length && one.every((size, axis) => Object.is(size, other[axis])));

/** A hint for a blob that is read before it is made. */
function bottomAdvice(maker: LayerParameter | undefined): Phrase {
  return maker
    ? phrase`Layer "${maker.name}" makes it, but stands later in the file`
    : phrase`No layer of this phase makes it: check the name, and the include and exclude rules`;
}
