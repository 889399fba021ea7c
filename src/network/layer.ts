import type { FillerParameter, LayerParameter } from '../caffe/messages';
import type { Random } from '../caffe/random';
import type { Phrase } from '../phrase';
import type { Affine, Engine } from '../tensor/engine';
import type { Shape } from './shape';

export type Phase = 'TRAIN' | 'TEST';

/** A blob of a net in memory: values and, in a net with gradients, the gradient of the loss by each of them. */
export interface Blob {
  shape: Shape;
  data: Float32Array;
  /** Empty in a net without gradients. */
  diff: Float32Array;
  /** Gives the blob another shape, and memory for it; what it holds afterwards is undefined. */
  reshape(shape: Shape): void;
}

/** A learnable blob of a layer, before it has memory. */
export interface ParamPlan {
  shape: Shape;
  filler: FillerParameter;
  /** False for what the solver must leave alone, such as the statistics of BatchNorm. */
  learnable?: false;
}

/** Work of layers that follow in place: `affines` one after the other, then y = x where positive, otherwise slope · x. */
export interface Along {
  affines: Affine[];
  slope: number;
}

/** What forward and backward of a layer work on. In an in-place layer a top is the same object as its bottom. */
export interface Pass {
  engine: Engine;
  bottom: Blob[];
  top: Blob[];
  params: Blob[];
  /** The working memory the plan asked for; it keeps its values until the shapes change. */
  scratch: Record<string, Float32Array>;
  random: Random;
  /** What layers behind this one would do in place, and it is to do along. */
  along: Along;
}

/**
 * Backward writes the gradients of the bottoms, adds to those of the parameters, and leaves alone those that are
 * not wanted.
 */
export interface BackwardPass extends Pass {
  /** Which bottoms need a gradient. */
  propagate: boolean[];
  /** Which parameters need a gradient. */
  learn: boolean[];
}

/** What a layer is, for given shapes of its bottoms. */
export interface LayerPlan {
  /** Shapes of the tops; those that are left out at the end are not known at all. */
  tops: Shape[];
  params?: ParamPlan[];
  /** Multiply-accumulate operations of one forward pass; without it, none worth counting. */
  macs?: number;
  /** Working memory: number of values by name. */
  scratch?: Record<string, number>;
  /**
   * All that the layer does to a channel (the second axis), where that can be said so: a layer before it may do it along
   * when this one works in place.
   */
  affine?(pass: BackwardPass): Affine;
  /** The same for a ReLU: its slope below 0. */
  slope?: number;
  /**
   * How many layers of the first kind right behind it this one does along, backward included. A ReLU behind those is done
   * along too, its backward by itself.
   */
  takesOver?: { affines: number };
  /** The tops are views of the first bottom: of its values (`data`), or of its gradient as well (`all`). */
  shares?: 'data' | 'all';
  forward?(pass: Pass): void;
  backward?(pass: BackwardPass): void;
}

/** What a layer may know besides its bottoms. */
export interface PlanContext {
  phase: Phase;
  /** Number of tops, those that the net adds on its own included. */
  topCount: number;
  /** A backward pass may follow the forward pass: it must find what it needs. */
  gradients?: boolean;
  /** Shapes of the tops of a data layer, where its source is known; `NaN` for unknown sizes. */
  sourceShapes?(layer: LayerParameter): Shape[] | undefined;
  /** The matrix that an InfogainLoss names as its source, row by row. */
  infogain?(layer: LayerParameter): Float32Array | undefined;
}

/** A number of blobs: exactly that many, or at least and (where given) at most. */
export type Arity = number | readonly [least: number, most?: number];

/** A type of layer: its meaning, written once for shape inference and computation alike. */
export interface LayerType {
  bottoms: Arity | ((layer: LayerParameter) => Arity);
  tops: Arity | ((layer: LayerParameter) => Arity);
  /** One top for each bottom. */
  topsMatchBottoms?: true;
  /** The net adds the tops that the prototxt leaves out, and the first one has a loss weight of 1. */
  loss?: true;
  /** Bottoms that never get a gradient, such as labels, even where `force_backward` is set. */
  noGradient?: readonly number[];
  /** The blobs come from outside: from a file, a database or the caller. */
  source?: true;
  /** Why a layer of this type cannot be run here. */
  foreign?: Phrase;
  /**
   * Sets the layer up for bottoms of the given shapes.
   * @throws CaffeError where Caffe would refuse the layer
   */
  plan(layer: LayerParameter, bottoms: Shape[], context: PlanContext): LayerPlan;
}

/** The name of a layer type, with what it means. */
export type LayerTypes = Record<string, LayerType>;
