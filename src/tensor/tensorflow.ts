import type * as tfjs from '@tensorflow/tfjs-core';
import type { ConvolutionShape } from './engine';
import { PortableEngine } from './portable';

/** The part of TensorFlow.js that the engine needs: tfjs-core with a backend, or tfjs-node. */
export type Tensorflow = Pick<
  typeof tfjs,
  | 'tensor2d'
  | 'tensor4d'
  | 'tidy'
  | 'matMul'
  | 'transpose'
  | 'pad'
  | 'slice'
  | 'conv2d'
  | 'engine'
  | 'getBackend'
  | 'version_core'
>;

type Tensor2D = tfjs.Tensor2D;
type Tensor4D = tfjs.Tensor4D;

/** Orders of axes: Caffe keeps images as N×C×H×W and filters as O×I×H×W, TensorFlow as N×H×W×C and H×W×I×O. */
const toImages = [0, 2, 3, 1];
const fromImages = [0, 3, 1, 2];
const toFilters = [2, 3, 1, 0];
const fromFilters = [3, 2, 0, 1];

/**
 * The engine that lets TensorFlow do what takes the time: matrix products and convolutions. The rest, and what
 * TensorFlow has no CPU kernels for (gradients of grouped and dilated convolutions), is done by the kernels of the
 * portable engine, in whose memory all values live; so a layer is written once and means the same on both.
 *
 * Weights may change between any two calls, so none are kept in TensorFlow's layout: to transpose them costs
 * a small part of using them.
 */
export class TensorflowEngine extends PortableEngine {
  override readonly name: string;

  constructor(
    private readonly tf: Tensorflow,
    options: { threads?: number } = {},
  ) {
    super(options);
    this.name = `TensorFlow.js ${tf.version_core} (${tf.getBackend()})`;
  }

  override gemm(
    transposeA: boolean,
    transposeB: boolean,
    m: number,
    n: number,
    k: number,
    alpha: number,
    a: Float32Array,
    b: Float32Array,
    beta: number,
    c: Float32Array,
  ): void {
    const product = this.compute(() => {
      const left = this.matrix(a, transposeA ? k : m, transposeA ? m : k);
      const right = this.matrix(b, transposeB ? n : k, transposeB ? k : n);
      return this.tf.matMul(left, right, transposeA, transposeB);
    });
    for (let i = 0; i < m * n; i++) c[i] = alpha * product[i] + (beta === 0 ? 0 : beta * c[i]);
  }

  override innerProduct(
    m: number,
    n: number,
    k: number,
    transpose: boolean,
    x: Float32Array,
    w: Float32Array,
    bias: Float32Array | null,
    y: Float32Array,
  ): void {
    this.gemm(false, !transpose, m, n, k, 1, x, w, 0, y);
    if (bias) for (let i = 0; i < m * n; i++) y[i] += bias[i % n];
  }

  override convolution(
    shape: ConvolutionShape,
    x: Float32Array,
    w: Float32Array,
    bias: Float32Array | null,
    y: Float32Array,
    factor: Float32Array | null = null,
    slope = 1,
  ): void {
    if (!isPlain(shape)) {
      super.convolution(shape, x, w, bias, y, factor, slope);
      return;
    }
    const { num, strideHeight, strideWidth, outputs, outHeight, outWidth } = shape;
    const values = this.compute(() =>
      this.tf.transpose(
        this.tf.conv2d(this.padded(shape, x), this.filters(shape, w), [strideHeight, strideWidth], 'valid'),
        fromImages,
      ),
    );
    y.set(values);
    const plane = outHeight * outWidth;
    if (factor) this.scale(num, outputs, plane, y, factor, bias, y);
    else if (bias) for (let i = 0; i < values.length; i++) y[i] += bias[Math.floor(i / plane) % outputs];
    if (slope !== 1) this.relu(y, y, slope);
  }

  override convolutionInput(
    shape: ConvolutionShape,
    dy: Float32Array,
    w: Float32Array,
    dx: Float32Array,
  ): void {
    if (!isPlain(shape)) {
      super.convolutionInput(shape, dy, w, dx);
      return;
    }
    const { num, channels, height, width, padHeight, padWidth } = shape;
    const values = this.compute(() => {
      const all = this.tf.engine().runKernel(
        'Conv2DBackpropInput',
        { dy: this.gradient(shape, dy), filter: this.filters(shape, w) },
        {
          ...attributes(shape),
          inputShape: [num, height + 2 * padHeight, width + 2 * padWidth, channels],
        },
      ) as Tensor4D;
      const own = this.tf.slice(all, [0, padHeight, padWidth, 0], [num, height, width, channels]);
      return this.tf.transpose(own, fromImages);
    });
    dx.set(values);
  }

  override convolutionWeights(
    shape: ConvolutionShape,
    x: Float32Array,
    dy: Float32Array,
    dw: Float32Array,
  ): void {
    if (!isPlain(shape)) {
      super.convolutionWeights(shape, x, dy, dw);
      return;
    }
    const { kernelHeight, kernelWidth, channels, outputs } = shape;
    const values = this.compute(() =>
      this.tf.transpose(
        this.tf
          .engine()
          .runKernel(
            'Conv2DBackpropFilter',
            { x: this.padded(shape, x), dy: this.gradient(shape, dy) },
            { ...attributes(shape), filterShape: [kernelHeight, kernelWidth, channels, outputs] },
          ) as Tensor4D,
        fromFilters,
      ),
    );
    for (let i = 0; i < values.length; i++) dw[i] += values[i];
  }

  /** Runs operations and fetches their result; all tensors made within are given back. */
  private compute(operations: () => tfjs.Tensor): Float32Array {
    let values: Float32Array | undefined;
    this.tf.tidy(() => {
      values = operations().dataSync<'float32'>();
    });
    if (!values) throw new Error('TensorFlow gave no result');
    return values;
  }

  private matrix(values: Float32Array, rows: number, columns: number): Tensor2D {
    return this.tf.tensor2d(values.slice(0, rows * columns), [rows, columns]);
  }

  /** Images as TensorFlow keeps them, with their padding in place: Caffe's is the same on both sides, theirs not. */
  private padded(s: ConvolutionShape, x: Float32Array): Tensor4D {
    const images = this.tf.tensor4d(copied(x), [s.num, s.channels, s.height, s.width]);
    return this.tf.pad(this.tf.transpose(images, toImages), [
      [0, 0],
      [s.padHeight, s.padHeight],
      [s.padWidth, s.padWidth],
      [0, 0],
    ]);
  }

  private gradient(s: ConvolutionShape, dy: Float32Array): Tensor4D {
    const images = this.tf.tensor4d(copied(dy), [s.num, s.outputs, s.outHeight, s.outWidth]);
    return this.tf.transpose(images, toImages);
  }

  private filters(s: ConvolutionShape, w: Float32Array): Tensor4D {
    const filters = this.tf.tensor4d(copied(w), [s.outputs, s.channels, s.kernelHeight, s.kernelWidth]);
    return this.tf.transpose(filters, toFilters);
  }
}

/** TensorFlow wants memory that is not shared. */
const copied = (values: Float32Array) => new Float32Array(values);

/** Whether TensorFlow has all three kernels of a convolution. */
const isPlain = (s: ConvolutionShape) => s.group === 1 && s.dilationHeight === 1 && s.dilationWidth === 1;

const attributes = ({ strideHeight, strideWidth }: ConvolutionShape) => ({
  strides: [strideHeight, strideWidth],
  pad: 'valid',
  dataFormat: 'NHWC',
});
