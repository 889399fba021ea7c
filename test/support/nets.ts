import type { LayerParameter, NetParameter } from '../../src/caffe/messages';

/** A layer as the parser would give it. */
export function layer(
  type: string,
  bottom: string[],
  top: string[],
  more: Partial<LayerParameter> = {},
): LayerParameter {
  return {
    name: top[0] ?? type,
    type,
    bottom,
    top,
    param: [],
    include: [],
    exclude: [],
    loss_weight: [],
    propagate_down: [],
    ...more,
  };
}

/** An Input layer for each blob. */
export function inputs(shapes: Record<string, number[]>): LayerParameter[] {
  return Object.entries(shapes).map(([name, dim]) =>
    layer('Input', [], [name], { input_param: { shape: [{ dim }] } }),
  );
}

/** A net of some inputs and layers. */
export function netOf(
  shapes: Record<string, number[]>,
  layers: LayerParameter[],
  more: Partial<NetParameter> = {},
): NetParameter {
  return { name: 'test', layer: [...inputs(shapes), ...layers], ...more };
}
