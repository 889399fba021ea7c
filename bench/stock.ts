import * as tf from '@tensorflow/tfjs-core';
import type { LayerParameter, NetParameter } from '../src/caffe/messages';

/** A net of bench/nets.ts, forward, in plain operations of TensorFlow.js, which keeps images as N×H×W×C. */
export function stockForward(net: NetParameter): () => Promise<void> {
  const tensors = new Map<string, tf.Tensor>();
  const steps: ((blobs: Map<string, tf.Tensor>) => void)[] = [];
  const shapes = new Map<string, number[]>();

  const add = (
    layer: LayerParameter,
    output: number[],
    compute: (x: tf.Tensor, y?: tf.Tensor) => tf.Tensor,
  ) => {
    const { bottom, top } = layer;
    shapes.set(top[0], output);
    steps.push((blobs) => {
      const [x, y] = bottom.map((name) => blobs.get(name)!);
      blobs.set(top[0], compute(x, y));
    });
  };

  for (const layer of net.layer ?? []) {
    const [n, h, w, c] = shapes.get(layer.bottom[0]) ?? [];
    const from = [n, h, w, c];
    switch (layer.type) {
      case 'Input': {
        const [num, channels, height, width] = layer.input_param!.shape![0].dim!;
        shapes.set(layer.top[0], [num, height, width, channels]);
        tensors.set(layer.top[0], tf.randomNormal([num, height, width, channels]));
        break;
      }
      case 'Convolution': {
        const { num_output = 0, kernel_size, pad, stride } = layer.convolution_param!;
        const [k, p, s] = [kernel_size![0], pad![0], stride![0]];
        const filter = tf.randomNormal([k, k, c, num_output]) as tf.Tensor4D;
        const bias = tf.zeros([num_output]);
        const out = (size: number) => Math.floor((size + 2 * p - k) / s) + 1;
        add(layer, [n, out(h), out(w), num_output], (x) => {
          const padded = p > 0 ? tf.pad(x, [[0, 0], [p, p], [p, p], [0, 0]]) : x; // prettier-ignore
          return tf.add(tf.conv2d(padded as tf.Tensor4D, filter, s, 'valid'), bias);
        });
        break;
      }
      case 'Pooling': {
        const { pool, kernel_size = 0, stride = 1 } = layer.pooling_param!;
        if (pool === 'AVE') {
          add(layer, [n, 1, 1, c], (x) => tf.mean(x, [1, 2], true));
          break;
        }
        const out = (size: number) => Math.ceil((size - kernel_size) / stride) + 1;
        const more = (size: number) => (out(size) - 1) * stride + kernel_size - size;
        add(layer, [n, out(h), out(w), c], (x) => {
          const padded = more(h) > 0 ? tf.pad(x, [[0, 0], [0, more(h)], [0, more(w)], [0, 0]], -1e30) : x; // prettier-ignore
          return tf.maxPool(padded as tf.Tensor4D, kernel_size, stride, 'valid');
        });
        break;
      }
      case 'InnerProduct': {
        const size = from.slice(1).reduce((product, value) => product * (value ?? 1), 1);
        const { num_output = 0 } = layer.inner_product_param!;
        const weights = tf.randomNormal([size, num_output]);
        const bias = tf.zeros([num_output]);
        add(layer, [n, num_output], (x) => tf.add(tf.matMul(tf.reshape(x, [n, size]), weights), bias));
        break;
      }
      case 'BatchNorm': {
        const [mean, variance] = [tf.zeros([c]), tf.ones([c])];
        add(layer, from, (x) => tf.batchNorm(x as tf.Tensor4D, mean as tf.Tensor1D, variance as tf.Tensor1D));
        break;
      }
      case 'Scale': {
        const [factor, bias] = [tf.ones([c]), tf.zeros([c])];
        add(layer, from, (x) => tf.add(tf.mul(x, factor), bias));
        break;
      }
      case 'ReLU':
        add(layer, from, (x) => tf.relu(x));
        break;
      case 'PReLU': {
        const slopes = tf.fill([from.findLast((size) => size !== undefined)!], 0.25);
        add(layer, from, (x) => tf.prelu(x, slopes));
        break;
      }
      case 'Eltwise':
        add(layer, from, (x, y) => tf.add(x, y!));
        break;
      case 'Softmax':
        add(layer, from, (x) => tf.softmax(x));
        break;
      default:
        throw new Error(`no ${layer.type} here`);
    }
  }
  const last = net.layer!.at(-1)!.top[0];
  return async () => {
    tf.engine().startScope();
    const blobs = new Map(tensors);
    for (const step of steps) step(blobs);
    await blobs.get(last)!.data();
    tf.engine().endScope();
  };
}
