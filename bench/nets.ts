import type { LayerParameter, NetParameter } from '../src/caffe/messages';
import { layerOf } from '../src/network/graph';

/** The nets of the engine benchmark, written as their prototxts would be, with random weights. */

const filler = { type: 'msra' };

const layer = (
  type: string,
  name: string,
  bottom: string[],
  top: string[],
  more: Partial<LayerParameter> = {},
): LayerParameter => layerOf(type, name, { bottom, top, ...more });

const input = (name: string, ...dim: number[]) =>
  layer('Input', name, [], [name], { input_param: { shape: [{ dim }] } });

const convolution = (
  name: string,
  bottom: string,
  num_output: number,
  kernel: number,
  { pad = 0, stride = 1, bias_term = true } = {},
) =>
  layer('Convolution', name, [bottom], [name], {
    convolution_param: {
      num_output,
      kernel_size: [kernel],
      pad: [pad],
      stride: [stride],
      bias_term,
      weight_filler: filler,
    },
  });

const maxPool = (name: string, bottom: string, kernel_size: number, stride: number) =>
  layer('Pooling', name, [bottom], [name], { pooling_param: { pool: 'MAX', kernel_size, stride } });

const innerProduct = (name: string, bottom: string, num_output: number) =>
  layer('InnerProduct', name, [bottom], [name], {
    inner_product_param: { num_output, weight_filler: filler },
  });

const relu = (blob: string) => layer('ReLU', `${blob}_relu`, [blob], [blob]);

const loss = (bottom: string) => layer('SoftmaxWithLoss', 'loss', [bottom, 'label'], ['loss']);

/** LeNet as in Caffe's examples/mnist: 28×28 digits. */
export function lenet(batch: number, train: boolean): NetParameter {
  const layers = [
    input('data', batch, 1, 28, 28),
    convolution('conv1', 'data', 20, 5),
    maxPool('pool1', 'conv1', 2, 2),
    convolution('conv2', 'pool1', 50, 5),
    maxPool('pool2', 'conv2', 2, 2),
    innerProduct('ip1', 'pool2', 500),
    relu('ip1'),
    innerProduct('ip2', 'ip1', 10),
  ];
  if (train) layers.push(input('label', batch), loss('ip2'));
  return { name: 'LeNet', layer: layers };
}

/** ResNet-20 of He et al. (2016) for 32×32 images in ten classes, projections at the two changes of size. */
export function resnet20(batch: number, train: boolean): NetParameter {
  const layers = [input('data', batch, 3, 32, 32)];
  const normalised = (name: string) => [
    layer('BatchNorm', `${name}_bn`, [name], [name]),
    layer('Scale', `${name}_scale`, [name], [name], { scale_param: { bias_term: true } }),
  ];
  const block = (name: string, bottom: string, outputs: number, stride: number, project: boolean) => {
    layers.push(
      convolution(`${name}_a`, bottom, outputs, 3, { pad: 1, stride, bias_term: false }),
      ...normalised(`${name}_a`),
      relu(`${name}_a`),
      convolution(`${name}_b`, `${name}_a`, outputs, 3, { pad: 1, bias_term: false }),
      ...normalised(`${name}_b`),
    );
    if (project)
      layers.push(
        convolution(`${name}_p`, bottom, outputs, 1, { stride, bias_term: false }),
        ...normalised(`${name}_p`),
      );
    layers.push(
      layer('Eltwise', name, [`${name}_b`, project ? `${name}_p` : bottom], [name], {
        eltwise_param: { operation: 'SUM' },
      }),
      relu(name),
    );
  };
  layers.push(
    convolution('conv1', 'data', 16, 3, { pad: 1, bias_term: false }),
    ...normalised('conv1'),
    relu('conv1'),
  );
  let last = 'conv1';
  for (const [stage, outputs] of [16, 32, 64].entries()) {
    for (let i = 0; i < 3; i++) {
      const name = `block${String(stage + 1)}${String(i + 1)}`;
      const smaller = stage > 0 && i === 0;
      block(name, last, outputs, smaller ? 2 : 1, smaller);
      last = name;
    }
  }
  layers.push(
    layer('Pooling', 'pool', [last], ['pool'], { pooling_param: { pool: 'AVE', global_pooling: true } }),
    innerProduct('fc', 'pool', 10),
  );
  if (train) layers.push(input('label', batch), loss('fc'));
  return { name: 'ResNet-20', layer: layers };
}

/** The last net of MTCNN (Zhang et al., 2016): 48×48 faces, boxes and landmarks. */
export function det3(batch: number): NetParameter {
  const prelu = (blob: string) => layer('PReLU', `${blob}_prelu`, [blob], [blob]);
  return {
    name: 'MTCNN det3',
    layer: [
      input('data', batch, 3, 48, 48),
      convolution('conv1', 'data', 32, 3),
      prelu('conv1'),
      maxPool('pool1', 'conv1', 3, 2),
      convolution('conv2', 'pool1', 64, 3),
      prelu('conv2'),
      maxPool('pool2', 'conv2', 3, 2),
      convolution('conv3', 'pool2', 64, 3),
      prelu('conv3'),
      maxPool('pool3', 'conv3', 2, 2),
      convolution('conv4', 'pool3', 128, 2),
      prelu('conv4'),
      innerProduct('conv5', 'conv4', 256),
      prelu('conv5'),
      innerProduct('conv6-1', 'conv5', 2),
      innerProduct('conv6-2', 'conv5', 4),
      innerProduct('conv6-3', 'conv5', 10),
      layer('Softmax', 'prob1', ['conv6-1'], ['prob1']),
    ],
  };
}
