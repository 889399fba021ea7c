import type { LayerParameter, NetParameter } from '../../src/caffe/messages';
import { layerOf } from '../../src/network/graph';

/** A layer as the parser would give it. */
export const layer = (
  type: string,
  bottom: string[],
  top: string[],
  more: Partial<LayerParameter> = {},
): LayerParameter => layerOf(type, top[0] ?? type, { bottom, top, ...more });

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
