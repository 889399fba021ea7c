import type {
  Affine,
  BatchNormShape,
  ConvolutionShape,
  Engine,
  LrnShape,
  PoolingShape,
  Update,
} from './engine';

/** Calls `visit` for each tap of a convolution: positions in the input, the weights and the output. */
function eachTap(s: ConvolutionShape, visit: (x: number, w: number, y: number) => void): void {
  const inputs = s.channels / s.group;
  const outputs = s.outputs / s.group;
  for (let n = 0; n < s.num; n++) {
    for (let o = 0; o < s.outputs; o++) {
      const firstChannel = Math.floor(o / outputs) * inputs;
      for (let oy = 0; oy < s.outHeight; oy++) {
        for (let ox = 0; ox < s.outWidth; ox++) {
          const y = ((n * s.outputs + o) * s.outHeight + oy) * s.outWidth + ox;
          for (let c = 0; c < inputs; c++) {
            for (let ky = 0; ky < s.kernelHeight; ky++) {
              const iy = oy * s.strideHeight - s.padHeight + ky * s.dilationHeight;
              if (iy < 0 || iy >= s.height) continue;
              const row = ((n * s.channels + firstChannel + c) * s.height + iy) * s.width;
              const w = ((o * inputs + c) * s.kernelHeight + ky) * s.kernelWidth;
              for (let kx = 0; kx < s.kernelWidth; kx++) {
                const ix = ox * s.strideWidth - s.padWidth + kx * s.dilationWidth;
                if (ix >= 0 && ix < s.width) visit(row + ix, w + kx, y);
              }
            }
          }
        }
      }
    }
  }
}

/** Calls `visit` for each window of a pooling with its rows and columns within the image, and its full size. */
function eachWindow(
  s: PoolingShape,
  visit: (out: number, plane: number, y0: number, y1: number, x0: number, x1: number, size: number) => void,
): void {
  for (let p = 0, out = 0; p < s.planes; p++) {
    for (let oy = 0; oy < s.outHeight; oy++) {
      for (let ox = 0; ox < s.outWidth; ox++, out++) {
        const y0 = oy * s.strideHeight - s.padHeight;
        const x0 = ox * s.strideWidth - s.padWidth;
        const y1 = Math.min(y0 + s.kernelHeight, s.height + s.padHeight);
        const x1 = Math.min(x0 + s.kernelWidth, s.width + s.padWidth);
        visit(
          out,
          p * s.height * s.width,
          Math.max(y0, 0),
          Math.min(y1, s.height),
          Math.max(x0, 0),
          Math.min(x1, s.width),
          (y1 - y0) * (x1 - x0),
        );
      }
    }
  }
}

/** Where the values of a channel lie. */
function placesOf({ num, channels, plane }: BatchNormShape, channel: number): number[] {
  return Array.from(
    { length: num * plane },
    (_, i) => (Math.floor(i / plane) * channels + channel) * plane + (i % plane),
  );
}

/**
 * The meaning of every engine operation in plain loops: what the fast engines are tested against, and small
 * enough to be read. It is slow.
 */
export class ReferenceEngine implements Engine {
  readonly name = 'reference (plain loops)';

  allocate(count: number): Float32Array {
    return new Float32Array(count);
  }

  free(_array: Float32Array): void {
    // The garbage collector sees to it.
  }

  dispose(): void {
    // There is nothing to give back.
  }

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
  ): void {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let l = 0; l < k; l++)
          sum += a[transposeA ? l * m + i : i * k + l] * b[transposeB ? j * k + l : l * n + j];
        c[i * n + j] = alpha * sum + (beta === 0 ? 0 : beta * c[i * n + j]);
      }
    }
  }

  innerProduct(
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

  convolution(
    shape: ConvolutionShape,
    x: Float32Array,
    w: Float32Array,
    bias: Float32Array | null,
    y: Float32Array,
    factor: Float32Array | null = null,
    slope = 1,
  ): void {
    y.fill(0);
    eachTap(shape, (from, weight, to) => {
      y[to] += x[from] * w[weight];
    });
    const plane = shape.outHeight * shape.outWidth;
    for (let i = 0; i < y.length; i++) {
      const output = Math.floor(i / plane) % shape.outputs;
      y[i] = (factor?.[output] ?? 1) * y[i] + (bias?.[output] ?? 0);
    }
    this.relu(y, y, slope);
  }

  convolutionInput(shape: ConvolutionShape, dy: Float32Array, w: Float32Array, dx: Float32Array): void {
    dx.fill(0);
    eachTap(shape, (from, weight, to) => {
      dx[from] += dy[to] * w[weight];
    });
  }

  convolutionWeights(shape: ConvolutionShape, x: Float32Array, dy: Float32Array, dw: Float32Array): void {
    eachTap(shape, (from, weight, to) => {
      dw[weight] += dy[to] * x[from];
    });
  }

  maxPool(shape: PoolingShape, x: Float32Array, y: Float32Array, index: Float32Array | null): void {
    eachWindow(shape, (out, plane, y0, y1, x0, x1) => {
      let best = -Infinity;
      let at = -1;
      for (let iy = y0; iy < y1; iy++) {
        for (let ix = x0; ix < x1; ix++) {
          const place = iy * shape.width + ix;
          if (x[plane + place] > best) {
            best = x[plane + place];
            at = place;
          }
        }
      }
      // A window of nothing but NaN has no largest value: NaN it is.
      y[out] = at < 0 ? NaN : best;
      if (index) index[out] = Math.max(at, 0);
    });
  }

  maxPoolBackward(shape: PoolingShape, index: Float32Array, dy: Float32Array, dx: Float32Array): void {
    dx.fill(0);
    eachWindow(shape, (out, plane) => {
      dx[plane + index[out]] += dy[out];
    });
  }

  averagePool(shape: PoolingShape, x: Float32Array, y: Float32Array): void {
    eachWindow(shape, (out, plane, y0, y1, x0, x1, size) => {
      let sum = 0;
      for (let iy = y0; iy < y1; iy++)
        for (let ix = x0; ix < x1; ix++) sum += x[plane + iy * shape.width + ix];
      y[out] = sum / size;
    });
  }

  averagePoolBackward(shape: PoolingShape, dy: Float32Array, dx: Float32Array): void {
    dx.fill(0);
    eachWindow(shape, (out, plane, y0, y1, x0, x1, size) => {
      for (let iy = y0; iy < y1; iy++)
        for (let ix = x0; ix < x1; ix++) dx[plane + iy * shape.width + ix] += dy[out] / size;
    });
  }

  /** Σ of `values` over the channels around each, for outer × channels × plane. */
  private aroundChannel(shape: LrnShape, values: (i: number) => number, out: Float32Array): void {
    const { num, channels, plane, size } = shape;
    const half = (size - 1) / 2;
    for (let n = 0, i = 0; n < num; n++) {
      for (let c = 0; c < channels; c++) {
        for (let p = 0; p < plane; p++, i++) {
          let sum = 0;
          for (let o = Math.max(0, c - half); o <= Math.min(channels - 1, c + half); o++)
            sum += values((n * channels + o) * plane + p);
          out[i] = sum;
        }
      }
    }
  }

  batchNorm(
    shape: BatchNormShape,
    x: Float32Array,
    affine: Affine | undefined,
    mean: Float32Array,
    variance: Float32Array,
    normal: Float32Array,
    y: Float32Array,
    slope = 1,
  ): void {
    const items = shape.num * shape.plane;
    for (let c = 0; c < shape.channels; c++) {
      const places = placesOf(shape, c);
      mean[c] = places.reduce((sum, i) => sum + x[i], 0) / items;
      variance[c] = places.reduce((sum, i) => sum + (x[i] - mean[c]) ** 2, 0) / items;
      for (const i of places) {
        normal[i] = (x[i] - mean[c]) / Math.sqrt(variance[c] + shape.eps);
        y[i] = affine ? affine.factor[c] * normal[i] + (affine.bias?.[c] ?? 0) : normal[i];
      }
    }
    this.relu(y, y, slope);
  }

  batchNormBackward(
    shape: BatchNormShape,
    normal: Float32Array,
    variance: Float32Array,
    dy: Float32Array,
    affine: Affine | undefined,
    dx: Float32Array,
  ): void {
    const items = shape.num * shape.plane;
    for (let c = 0; c < shape.channels; c++) {
      const places = placesOf(shape, c);
      const sum = places.reduce((total, i) => total + dy[i], 0);
      const dot = places.reduce((total, i) => total + dy[i] * normal[i], 0);
      if (affine?.factorDiff) affine.factorDiff[c] += dot;
      if (affine?.biasDiff) affine.biasDiff[c] += sum;
      const slope = (affine?.factor[c] ?? 1) / Math.sqrt(variance[c] + shape.eps);
      for (const i of places) dx[i] = slope * (dy[i] - sum / items - (normal[i] * dot) / items);
    }
  }

  lrn(shape: LrnShape, x: Float32Array, scale: Float32Array, y: Float32Array): void {
    this.aroundChannel(shape, (i) => x[i] * x[i], scale);
    for (let i = 0; i < x.length; i++) {
      scale[i] = shape.k + (shape.alpha / shape.size) * scale[i];
      y[i] = x[i] * Math.pow(scale[i], -shape.beta);
    }
  }

  lrnBackward(
    shape: LrnShape,
    x: Float32Array,
    y: Float32Array,
    scale: Float32Array,
    dy: Float32Array,
    dx: Float32Array,
  ): void {
    const around = new Float32Array(x.length);
    this.aroundChannel(shape, (i) => (dy[i] * y[i]) / scale[i], around);
    const factor = (2 * shape.alpha * shape.beta) / shape.size;
    for (let i = 0; i < x.length; i++)
      dx[i] = dy[i] * Math.pow(scale[i], -shape.beta) - factor * x[i] * around[i];
  }

  relu(x: Float32Array, y: Float32Array, slope: number): void {
    for (let i = 0; i < y.length; i++) y[i] = x[i] > 0 ? x[i] : slope * x[i];
  }

  reluBackward(x: Float32Array, dy: Float32Array, dx: Float32Array, slope: number): void {
    for (let i = 0; i < dx.length; i++) dx[i] = x[i] > 0 ? dy[i] : slope * dy[i];
  }

  prelu(
    outer: number,
    size: number,
    inner: number,
    x: Float32Array,
    slope: Float32Array,
    y: Float32Array,
  ): void {
    for (let i = 0, total = outer * size * inner; i < total; i++)
      y[i] = x[i] > 0 ? x[i] : x[i] * slope[Math.floor(i / inner) % size];
  }

  softmax(outer: number, classes: number, inner: number, x: Float32Array, y: Float32Array): void {
    for (let n = 0; n < outer; n++) {
      for (let i = 0; i < inner; i++) {
        const at = (c: number) => (n * classes + c) * inner + i;
        let largest = -Infinity;
        for (let c = 0; c < classes; c++) largest = Math.max(largest, x[at(c)]);
        let sum = 0;
        for (let c = 0; c < classes; c++) sum += y[at(c)] = Math.exp(x[at(c)] - largest);
        for (let c = 0; c < classes; c++) y[at(c)] /= sum;
      }
    }
  }

  sum(inputs: Float32Array[], factors: number[], y: Float32Array, slope = 1): void {
    for (let i = 0; i < y.length; i++) {
      let sum = 0;
      for (let j = 0; j < inputs.length; j++) sum += factors[j] * inputs[j][i];
      y[i] = sum > 0 ? sum : slope * sum;
    }
  }

  scale(
    outer: number,
    size: number,
    inner: number,
    x: Float32Array,
    factor: Float32Array,
    bias: Float32Array | null,
    y: Float32Array,
  ): void {
    for (let i = 0, total = outer * size * inner; i < total; i++) {
      const c = Math.floor(i / inner) % size;
      y[i] = x[i] * factor[c] + (bias ? bias[c] : 0);
    }
  }

  channelSum(outer: number, size: number, inner: number, x: Float32Array, sum: Float32Array): void {
    const sums = new Float64Array(size);
    for (let i = 0, total = outer * size * inner; i < total; i++) sums[Math.floor(i / inner) % size] += x[i];
    for (let c = 0; c < size; c++) sum[c] += sums[c];
  }

  channelDot(
    outer: number,
    size: number,
    inner: number,
    a: Float32Array,
    b: Float32Array,
    sum: Float32Array,
  ): void {
    const sums = new Float64Array(size);
    for (let i = 0, total = outer * size * inner; i < total; i++)
      sums[Math.floor(i / inner) % size] += a[i] * b[i];
    for (let c = 0; c < size; c++) sum[c] += sums[c];
  }

  axpy(alpha: number, x: Float32Array, y: Float32Array): void {
    for (let i = 0; i < y.length; i++) y[i] += alpha * x[i];
  }

  sumOfSquares(x: Float32Array): number {
    let sum = 0;
    for (const value of x) sum += value * value;
    return sum;
  }

  /** Takes `step(i)` off every value; masked ones become and stay 0, with their history. */
  private update({ data, history, history2, mask }: Update, step: (i: number) => number): void {
    for (let i = 0; i < data.length; i++) {
      if (mask && mask[i] === 0) {
        data[i] = 0;
        history[i] = 0;
        if (history2) history2[i] = 0;
      } else {
        data[i] -= step(i);
      }
    }
  }

  sgd(update: Update, momentum: number): void {
    const { diff, history, rate } = update;
    this.update(update, (i) => (history[i] = momentum * history[i] + rate * diff[i]));
  }

  nesterov(update: Update, momentum: number): void {
    const { diff, history, rate } = update;
    this.update(update, (i) => {
      const last = history[i];
      history[i] = momentum * last + rate * diff[i];
      return (1 + momentum) * history[i] - momentum * last;
    });
  }

  adaGrad(update: Update, delta: number): void {
    const { diff, history, rate } = update;
    this.update(update, (i) => {
      history[i] += diff[i] * diff[i];
      return (rate * diff[i]) / (Math.sqrt(history[i]) + delta);
    });
  }

  rmsProp(update: Update, decay: number, delta: number): void {
    const { diff, history, rate } = update;
    this.update(update, (i) => {
      history[i] = decay * history[i] + (1 - decay) * diff[i] * diff[i];
      return (rate * diff[i]) / (Math.sqrt(history[i]) + delta);
    });
  }

  adaDelta(update: Update, momentum: number, delta: number): void {
    const { diff, history, history2, rate } = update;
    if (!history2) throw new Error('AdaDelta needs two histories');
    this.update(update, (i) => {
      history[i] = momentum * history[i] + (1 - momentum) * diff[i] * diff[i];
      const step = diff[i] * Math.sqrt((history2[i] + delta) / (history[i] + delta));
      history2[i] = momentum * history2[i] + (1 - momentum) * step * step;
      return rate * step;
    });
  }

  adam(update: Update, momentum: number, momentum2: number, delta: number): void {
    const { diff, history, history2, rate } = update;
    if (!history2) throw new Error('Adam needs two histories');
    this.update(update, (i) => {
      history[i] = momentum * history[i] + (1 - momentum) * diff[i];
      history2[i] = momentum2 * history2[i] + (1 - momentum2) * diff[i] * diff[i];
      return (rate * history[i]) / (Math.sqrt(history2[i]) + delta);
    });
  }
}
