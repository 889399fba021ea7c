import { layersByName, type WeightedLayer } from '../caffe/pairing';
import type { Model, ModelLayer } from '../caffe/model';
import type { LayerText } from '../caffe/prototxt/netText';
import { isPrunable } from '../sparsity/recipe';
import { count } from '../network/shape';
import type { Analysis } from './analysis';

/** Types that have learnable blobs even where the shapes of a net are not known. */
const weighted = new Set(
  'Convolution Deconvolution InnerProduct Embed Scale Bias BatchNorm PReLU LSTM RNN Parameter Normalize CConvolution CInnerProduct'.split(
    ' ',
  ),
);

/** The layers of a file's main net that have weights, with their shapes where they are known. */
export function weightedLayers(analysis: Analysis): (WeightedLayer & { layer: LayerText })[] {
  const found = new Map<string, WeightedLayer & { layer: LayerText }>();
  for (const layer of analysis.nets()[0]?.layers ?? []) {
    if (found.has(layer.name)) continue;
    const inferred = analysis.bestShapesOf(layer);
    if (inferred?.plan ? inferred.params.length > 0 : weighted.has(layer.type))
      found.set(layer.name, {
        layer,
        name: layer.name,
        shapes: inferred?.plan && inferred.params.every(isWhole) ? inferred.params : undefined,
      });
  }
  return [...found.values()];
}

const isWhole = (shape: readonly number[]): boolean => shape.every(Number.isInteger);

/** The weights of a layer that pruning takes. */
export interface LayerWeights {
  layer: LayerText;
  /** Number of values in all learnable blobs, and in those that pruning takes. */
  parameters: number;
  prunable: number;
  /** The layer of the paired model. */
  model?: ModelLayer;
}

/** Weights by layer: from the shapes of the net, or of the paired model where the net does not tell them. */
export function layerWeights(analysis: Analysis, model?: Model): LayerWeights[] {
  const byName = model && layersByName(model);
  return weightedLayers(analysis).flatMap(({ layer, shapes }): LayerWeights[] => {
    const inModel = byName?.get(layer.name);
    const blobs = shapes ?? inModel?.blobs.map(({ shape }) => shape);
    if (!blobs) return [];
    const counts = blobs.map((shape) => count(shape));
    return [
      {
        layer,
        parameters: counts.reduce((sum, one) => sum + one, 0),
        prunable: counts.reduce(
          (sum, one, index) =>
            sum + (isPrunable(layer, { index, shape: blobs[index], count: one }) ? one : 0),
          0,
        ),
        model: inModel && inModel.blobs.length > 0 ? inModel : undefined,
      },
    ];
  });
}
