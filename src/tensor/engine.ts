/** Sizes of a 2-D convolution of N×C×H×W, grouped and dilated; one number per pair is height, the other width. */
export interface ConvolutionShape {
  num: number;
  channels: number;
  height: number;
  width: number;
  outputs: number;
  outHeight: number;
  outWidth: number;
  kernelHeight: number;
  kernelWidth: number;
  strideHeight: number;
  strideWidth: number;
  padHeight: number;
  padWidth: number;
  dilationHeight: number;
  dilationWidth: number;
  group: number;
}

/** Sizes of a pooling of `planes` planes of H×W. */
export interface PoolingShape {
  planes: number;
  height: number;
  width: number;
  outHeight: number;
  outWidth: number;
  kernelHeight: number;
  kernelWidth: number;
  strideHeight: number;
  strideWidth: number;
  padHeight: number;
  padWidth: number;
}

/** Sizes and constants of a local response normalisation across channels: (k + alpha/size · Σ x²)^-beta. */
export interface LrnShape {
  num: number;
  channels: number;
  plane: number;
  size: number;
  alpha: number;
  beta: number;
  k: number;
}

/** Sizes of a normalisation of N×C×plane, and what keeps it from dividing by 0. */
export interface BatchNormShape {
  num: number;
  channels: number;
  plane: number;
  eps: number;
}

/** Per channel: y = factor · x + bias, and where the gradients by the two are added to, if they are wanted. */
export interface Affine {
  factor: Float32Array;
  bias: Float32Array | null;
  factorDiff: Float32Array | null;
  biasDiff: Float32Array | null;
}

/** What a step of a solver works on: one learnable blob. Masked values stay exactly 0, history included. */
export interface Update {
  data: Float32Array;
  /** The gradient, ready to use (normalised, clipped, regularised); what it holds afterwards is of no use. */
  diff: Float32Array;
  /** Momentum and the like. */
  history: Float32Array;
  /** The second history of AdaDelta and Adam. */
  history2?: Float32Array;
  /** 1 where a weight lives, 0 where it is pruned. */
  mask?: Float32Array;
  /** Learning rate of this blob. */
  rate: number;
}

/**
 * The computations that nets are made of, on values in the engine's memory: N×C×H×W as Caffe keeps them.
 * All arrays come from {@link Engine.allocate} or are parts of such (`subarray`), which anybody may read and
 * write between two calls. Where in- and output are named alike (x and y) they may be the same array.
 */
export interface Engine {
  /** What runs, for the user: "WASM SIMD, 2 threads". */
  readonly name: string;

  /** Memory for `count` values, all 0. */
  allocate(count: number): Float32Array;
  /** Gives the memory of {@link Engine.allocate} back. */
  free(array: Float32Array): void;
  /** Gives all memory and threads back; the engine is of no use afterwards. */
  dispose(): void;

  /** c = alpha · op(a) · op(b) + beta · c; op(a) is m×k, op(b) k×n, row by row; op transposes where told. */
  gemm(
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
  ): void;
  /** y (m×n) = x (m×k) · w + bias; w is n×k, or k×n when `transpose`. */
  innerProduct(
    m: number,
    n: number,
    k: number,
    transpose: boolean,
    x: Float32Array,
    w: Float32Array,
    bias: Float32Array | null,
    y: Float32Array,
  ): void;

  /**
   * y = factor · (x ∗ w) + bias where positive, otherwise slope times that; w is outputs × channels/group × kernel, and
   * there is one factor for each output, if any.
   */
  convolution(
    shape: ConvolutionShape,
    x: Float32Array,
    w: Float32Array,
    bias: Float32Array | null,
    y: Float32Array,
    factor?: Float32Array | null,
    slope?: number,
  ): void;
  /** dx = what dy says of the input (also the forward pass of a deconvolution). */
  convolutionInput(shape: ConvolutionShape, dy: Float32Array, w: Float32Array, dx: Float32Array): void;
  /** dw += what dy says of the weights. */
  convolutionWeights(shape: ConvolutionShape, x: Float32Array, dy: Float32Array, dw: Float32Array): void;

  /** y = the largest of each window, `index` its place in the plane (the first among equals), if wanted. */
  maxPool(shape: PoolingShape, x: Float32Array, y: Float32Array, index: Float32Array | null): void;
  maxPoolBackward(shape: PoolingShape, index: Float32Array, dy: Float32Array, dx: Float32Array): void;
  /** y = the mean of each window; padding counts as 0 up to `pad` beyond the image, as in Caffe. */
  averagePool(shape: PoolingShape, x: Float32Array, y: Float32Array): void;
  averagePoolBackward(shape: PoolingShape, dy: Float32Array, dx: Float32Array): void;

  /**
   * normal = (x − mean) / √(variance + eps) by each channel's own mean and variance, which it tells; y is normal, or what
   * `affine` makes of it: where positive, otherwise slope times that.
   */
  batchNorm(
    shape: BatchNormShape,
    x: Float32Array,
    affine: Affine | undefined,
    mean: Float32Array,
    variance: Float32Array,
    normal: Float32Array,
    y: Float32Array,
    slope?: number,
  ): void;
  /** The gradient from that of `affine`'s outcome, before any slope. */
  batchNormBackward(
    shape: BatchNormShape,
    normal: Float32Array,
    variance: Float32Array,
    dy: Float32Array,
    affine: Affine | undefined,
    dx: Float32Array,
  ): void;

  /** `scale` is k + alpha/size · Σ x², which backward needs. */
  lrn(shape: LrnShape, x: Float32Array, scale: Float32Array, y: Float32Array): void;
  lrnBackward(
    shape: LrnShape,
    x: Float32Array,
    y: Float32Array,
    scale: Float32Array,
    dy: Float32Array,
    dx: Float32Array,
  ): void;

  /** y = x where positive, otherwise slope · x. */
  relu(x: Float32Array, y: Float32Array, slope: number): void;
  /** dx = dy · (1 or slope); `x` may be the output as well: it has the same sign. */
  reluBackward(x: Float32Array, dy: Float32Array, dx: Float32Array, slope: number): void;
  /** y = x where positive, otherwise slope · x, with a slope for each middle index of outer × size × inner. */
  prelu(
    outer: number,
    size: number,
    inner: number,
    x: Float32Array,
    slope: Float32Array,
    y: Float32Array,
  ): void;
  /** Softmax over the middle of outer × classes × inner. */
  softmax(outer: number, classes: number, inner: number, x: Float32Array, y: Float32Array): void;

  /** y = Σ factors[i] · inputs[i] where positive, otherwise slope times that. */
  sum(inputs: Float32Array[], factors: number[], y: Float32Array, slope?: number): void;
  /** y = x · factor (+ bias), where factor and bias have one value for each middle index of outer × size × inner. */
  scale(
    outer: number,
    size: number,
    inner: number,
    x: Float32Array,
    factor: Float32Array,
    bias: Float32Array | null,
    y: Float32Array,
  ): void;
  /** sum[c] += Σ x over outer and inner. */
  channelSum(outer: number, size: number, inner: number, x: Float32Array, sum: Float32Array): void;
  /** sum[c] += Σ a · b over outer and inner. */
  channelDot(
    outer: number,
    size: number,
    inner: number,
    a: Float32Array,
    b: Float32Array,
    sum: Float32Array,
  ): void;

  /** y += alpha · x. */
  axpy(alpha: number, x: Float32Array, y: Float32Array): void;
  /** x · x. */
  sumOfSquares(x: Float32Array): number;

  /** history = momentum · history + rate · diff; data −= history (sgd_solver.cpp). */
  sgd(update: Update, momentum: number): void;
  nesterov(update: Update, momentum: number): void;
  adaGrad(update: Update, delta: number): void;
  rmsProp(update: Update, decay: number, delta: number): void;
  adaDelta(update: Update, momentum: number, delta: number): void;
  /** `rate` of the update is the corrected one: rate · √(1 − momentum2^t) / (1 − momentum^t). */
  adam(update: Update, momentum: number, momentum2: number, delta: number): void;
}
