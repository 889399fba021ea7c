import { CaffeError } from '../caffe/errors';
import type { LayerParameter, NetParameter, NetState } from '../caffe/messages';
import { takesPart } from '../caffe/netState';
import { phrase } from '../phrase';
import type { Phase } from './layer';

/** What a net is made for: which of its layers take part (NetState of caffe.proto). */
export interface NetPurpose {
  phase: Phase;
  level?: number;
  stages?: readonly string[];
}

/** A layer that no prototxt spells out. */
export function layerOf(type: string, name: string, more: Partial<LayerParameter>): LayerParameter {
  return {
    name,
    type,
    bottom: [],
    top: [],
    param: [],
    include: [],
    exclude: [],
    loss_weight: [],
    propagate_down: [],
    ...more,
  };
}

/**
 * The layers of a net that take part in a phase, in order, as `Net::FilterNet`. The net's own `state` adds its
 * level and stages; inputs in the old style (`input`, `input_dim`) become a layer.
 * @throws CaffeError for a layer with both include and exclude rules
 */
export function layersFor(net: NetParameter, purpose: NetPurpose): LayerParameter[] {
  const state: NetState = {
    phase: purpose.phase,
    level: purpose.level ?? net.state?.level,
    stage: [...(net.state?.stage ?? []), ...(purpose.stages ?? [])],
  };
  const layers = net.layer.filter((layer) => {
    if (layer.include.length > 0 && layer.exclude.length > 0) {
      throw new CaffeError(phrase`specify either include rules or exclude rules; not both`, {
        layer: layer.name,
        line: layer.line,
      });
    }
    return takesPart(state, layer);
  });
  const inputs = net.input ?? [];
  if (inputs.length === 0) return layers;
  const dims = net.input_dim ?? [];
  const shape =
    net.input_shape ??
    inputs.map((_, i) => ({ dim: dims.slice(4 * i, 4 * i + 4) })).filter(({ dim }) => dim.length > 0);
  return [layerOf('Input', 'input', { top: inputs, input_param: { shape } }), ...layers];
}

/**
 * Puts a Split behind every blob that more than one layer reads (or that is read and is a loss as well), so that
 * gradients add up; names as Caffe's insert_splits.cpp makes them.
 */
export function insertSplits(layers: readonly LayerParameter[]): LayerParameter[] {
  /** A blob where it is made: the layer and which of its tops. */
  interface Origin {
    layer: LayerParameter;
    index: number;
    readers: number;
    lossWeight: number;
    /** How many of the splits have found their reader. */
    used: number;
  }
  const origins = new Map<LayerParameter, Origin[]>();
  const bottoms = new Map<LayerParameter, (Origin | undefined)[]>();
  const latest = new Map<string, Origin>();
  for (const layer of layers) {
    bottoms.set(
      layer,
      layer.bottom.map((name) => {
        const origin = latest.get(name);
        if (origin) origin.readers++;
        return origin;
      }),
    );
    origins.set(
      layer,
      layer.top.map((name, index) => {
        const lossWeight = layer.loss_weight[index] ?? 0;
        const origin = { layer, index, readers: lossWeight !== 0 ? 1 : 0, lossWeight, used: 0 };
        latest.set(name, origin);
        return origin;
      }),
    );
  }
  const splitName = ({ layer, index }: Origin) => `${layer.top[index]}_${layer.name}_${index}_split`;
  return layers.flatMap((layer) => {
    const bottom = layer.bottom.map((name, i) => {
      const origin = bottoms.get(layer)?.[i];
      return origin && origin.readers > 1 ? `${splitName(origin)}_${origin.used++}` : name;
    });
    const split = (origins.get(layer) ?? []).filter(({ readers }) => readers > 1);
    const weights = split.some(({ lossWeight }) => lossWeight !== 0) ? [] : layer.loss_weight;
    const splits = split.map((origin) => {
      if (origin.lossWeight !== 0) origin.used = 1;
      return layerOf('Split', splitName(origin), {
        bottom: [layer.top[origin.index]],
        top: Array.from({ length: origin.readers }, (_, i) => `${splitName(origin)}_${i}`),
        loss_weight:
          origin.lossWeight !== 0
            ? Array.from({ length: origin.readers }, (_, i) => (i === 0 ? origin.lossWeight : 0))
            : [],
        line: layer.line,
      });
    });
    return [{ ...layer, bottom, loss_weight: weights }, ...splits];
  });
}
