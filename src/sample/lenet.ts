import { Writer } from 'protobufjs';
import { Random } from '../caffe/random';

/** The layers with weights, in net order: name, type, bottom, and the shapes of weights and bias. */
const layers = [
  { name: 'conv1', type: 'Convolution', bottom: 'data', shapes: [[20, 1, 5, 5], [20]] },
  { name: 'conv2', type: 'Convolution', bottom: 'pool1', shapes: [[50, 20, 5, 5], [50]] },
  { name: 'ip1', type: 'InnerProduct', bottom: 'pool2', shapes: [[500, 800], [500]] },
  { name: 'ip2', type: 'InnerProduct', bottom: 'ip1', shapes: [[10, 500], [10]] },
];

/**
 * An untrained LeNet as the bytes of a `.caffemodel`, with weights spread as training leaves them: the scale of each
 * layer falls with the square root of its inputs, most weights are small and a few are large (a normal deviate times
 * a log-normal one).
 */
export function untrainedLenet(seed: number): Uint8Array {
  const random = new Random(seed);
  // Fields of NetParameter, LayerParameter, BlobProto and BlobShape as caffe.proto numbers them.
  const net = Writer.create().uint32(tag(1, 2)).string('LeNet');
  for (const { name, type, bottom, shapes } of layers) {
    net.uint32(tag(100, 2)).fork();
    net.uint32(tag(1, 2)).string(name).uint32(tag(2, 2)).string(type);
    net.uint32(tag(3, 2)).string(bottom).uint32(tag(4, 2)).string(name);
    for (const shape of shapes) {
      const count = shape.reduce((product, size) => product * size);
      const scale = shape.length > 1 ? 0.6 / Math.sqrt(count / shape[0]) : 0.02;
      net.uint32(tag(7, 2)).fork();
      net.uint32(tag(5, 2)).fork();
      for (let i = 0; i < count; i++) net.float(scale * random.normal() * Math.exp(0.5 * random.normal()));
      net.ldelim();
      net.uint32(tag(7, 2)).fork().uint32(tag(1, 2)).fork();
      for (const size of shape) net.int64(size);
      net.ldelim().ldelim().ldelim();
    }
    net.ldelim();
  }
  return net.finish();
}

const tag = (field: number, wireType: number) => field * 8 + wireType;
