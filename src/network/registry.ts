import type { LayerType, LayerTypes } from './layer';
import { arrangeLayers } from './layers/arrange';
import { convolutionLayers } from './layers/convolution';
import { dataLayers } from './layers/data';
import { detectionLayers } from './layers/detection';
import { innerProductLayers } from './layers/innerProduct';
import { lossLayers } from './layers/loss';
import { neuronLayers } from './layers/neuron';
import { normalizationLayers } from './layers/normalization';
import { poolingLayers } from './layers/pooling';
import { recurrentLayers } from './layers/recurrent';
import { resizeLayers } from './layers/resize';
import { scaleLayers } from './layers/scale';

/** Every type of layer that can be run, by Caffe's name for it. */
export const layerTypes: ReadonlyMap<string, LayerType> = new Map(
  Object.entries<LayerType>({
    ...dataLayers,
    ...convolutionLayers,
    ...innerProductLayers,
    ...poolingLayers,
    ...neuronLayers,
    ...normalizationLayers,
    ...scaleLayers,
    ...arrangeLayers,
    ...lossLayers,
    ...recurrentLayers,
    ...resizeLayers,
    ...detectionLayers,
  } satisfies LayerTypes),
);
