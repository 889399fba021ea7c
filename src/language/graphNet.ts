import { layerKinds } from '../caffe/layerCatalogue';
import type { GraphEdge, GraphFamily, GraphLayer, GraphNet, GraphNode } from '../protocol';
import type { Phase } from '../network/layer';
import { count } from '../network/shape';
import { automaticTop, type InferredNet } from '../network/shapes';

/**
 * A net as boxes and arrows. A layer that works in place has no arrow of its own: it stands in the box of the layer whose
 * top it overwrites, so that a convolution with its normalisation and activation is one box.
 */
export function graphOf(name: string, phase: Phase, { layers }: InferredNet): GraphNet {
  const nodes: GraphNode[] = [];
  const edges: GraphEdge[] = [];
  /** The box that made the latest version of each blob, and the blob's shape. */
  const makers = new Map<string, { node: GraphNode; shape?: readonly number[] }>();
  for (const [id, { layer, bottoms, tops, params, macs, plan }] of layers.entries()) {
    const drawn: GraphLayer = {
      id,
      name: layer.name,
      type: layer.type,
      family: familyOf(layer.type),
      tops: tops.filter((top) => top.name !== automaticTop).map(({ name, shape }) => ({ name, shape })),
      parameters: plan ? params.reduce((sum, shape) => sum + count(shape), 0) : NaN,
      macs,
    };
    const host = layer.bottom.length === 1 && layer.top.length === 1 && tops[0].inPlace;
    let node = host ? makers.get(layer.bottom[0])?.node : undefined;
    if (node) node.layers.push(drawn);
    else {
      node = { id: nodes.length, layers: [drawn] };
      nodes.push(node);
      for (const [index, blob] of layer.bottom.entries()) {
        const maker = makers.get(blob);
        if (maker)
          edges.push({ from: maker.node.id, to: node.id, blob, shape: bottoms[index] ?? maker.shape });
      }
    }
    for (const { name: blob, shape } of tops) makers.set(blob, { node, shape });
  }
  return { name, phase, nodes, edges };
}

const families: Readonly<Record<Exclude<GraphFamily, 'weights' | 'loss' | 'other'>, string>> = {
  data: 'Input Data ImageData HDF5Data MemoryData DummyData WindowData AnnotatedData Python',
  pooling: 'Pooling SPP ROIPooling PSROIPooling Unpooling Upsample Interp',
  activation:
    'ReLU ReLU6 PReLU ELU Sigmoid TanH AbsVal BNLL Power Exp Log Threshold Dropout Softmax Swish Clip',
  normalization: 'BatchNorm Scale Bias LRN MVN BN Normalize GroupNorm',
  arrange:
    'Concat Slice Split Eltwise Flatten Reshape Permute Tile Crop Reduction Silence ArgMax ShuffleChannel',
};
const byType = new Map(
  Object.entries(families).flatMap(([family, types]) =>
    types.split(' ').map((type) => [type, family as GraphFamily] as const),
  ),
);

export function familyOf(type: string): GraphFamily {
  const kind = layerKinds.get(type);
  if (kind?.loss || type === 'Accuracy') return 'loss';
  return byType.get(type) ?? (kind?.weights ? 'weights' : /Data$/.test(type) ? 'data' : 'other');
}
