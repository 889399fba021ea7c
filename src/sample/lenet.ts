import { Random } from '../caffe/random';
import type { BlobToWrite, ModelToWrite } from '../caffe/writeModel';

/** The layers with weights, in net order: name, type, bottom, and the shape of the weights. */
const layers: [name: string, type: string, bottom: string, shape: number[]][] = [
  ['conv1', 'Convolution', 'data', [20, 1, 5, 5]],
  ['conv2', 'Convolution', 'pool1', [50, 20, 5, 5]],
  ['ip1', 'InnerProduct', 'pool2', [500, 800]],
  ['ip2', 'InnerProduct', 'ip1', [10, 500]],
];

/**
 * An untrained LeNet, with weights spread as training leaves them: the scale of each layer falls with the square root
 * of its inputs, most weights are small and a few are large (a normal deviate times a log-normal one).
 */
export function untrainedLenet(seed: number): ModelToWrite {
  const random = new Random(seed);
  const blob = (shape: number[], scale: number): BlobToWrite => ({
    shape,
    data: Float32Array.from(
      { length: shape.reduce((product, size) => product * size) },
      () => scale * random.normal() * Math.exp(0.5 * random.normal()),
    ),
  });
  return {
    name: 'LeNet',
    layers: layers.map(([name, type, bottom, shape]) => {
      const [outputs, ...inputs] = shape;
      const fanIn = inputs.reduce((product, size) => product * size);
      return {
        name,
        type,
        bottoms: [bottom],
        tops: [name],
        blobs: [blob(shape, 0.6 / Math.sqrt(fanIn)), blob([outputs], 0.02)],
      };
    }),
  };
}
