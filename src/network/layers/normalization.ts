import { phrase } from '../../phrase';
import type { Affine } from '../../tensor/engine';
import type { LayerPlan, LayerTypes, Pass } from '../layer';
import { count, legacySize, refuse, shapeText, type Shape } from '../shape';
import { losesInput, neuron } from './neuron';

/** Within a channel Caffe takes the mean of the squares as its average pooling does, and no k. */
function withinChannel(bottom: Shape, size: number, alpha: number, beta: number): Omit<LayerPlan, 'tops'> {
  const total = count(bottom);
  const pad = (size - 1) / 2;
  const window = {
    planes: bottom[0] * bottom[1],
    height: bottom[2],
    width: bottom[3],
    outHeight: bottom[2],
    outWidth: bottom[3],
    kernelHeight: size,
    kernelWidth: size,
    strideHeight: 1,
    strideWidth: 1,
    padHeight: pad,
    padWidth: pad,
  };
  return {
    scratch: { input: total, square: total, scale: total, spread: total },
    forward({ engine, bottom: [{ data: x }], top: [{ data: y }], scratch: { input, square, scale } }) {
      input.set(x);
      for (let i = 0; i < total; i++) square[i] = x[i] * x[i];
      engine.averagePool(window, square, scale);
      for (let i = 0; i < total; i++) {
        scale[i] = 1 + alpha * scale[i];
        y[i] = x[i] * Math.pow(scale[i], -beta);
      }
    },
    backward({ engine, bottom: [b], top: [{ diff: dy }], scratch, propagate }) {
      if (!propagate[0]) return;
      // The gradient of the means, then spread back over the windows; `square` is free for it.
      const { input, square: slope, scale, spread } = scratch;
      for (let i = 0; i < total; i++)
        slope[i] = -beta * alpha * dy[i] * input[i] * Math.pow(scale[i], -beta - 1);
      engine.averagePoolBackward(window, slope, spread);
      for (let i = 0; i < total; i++)
        b.diff[i] = dy[i] * Math.pow(scale[i], -beta) + 2 * input[i] * spread[i];
    },
  };
}

export const normalizationLayers: LayerTypes = {
  LRN: neuron((layer, bottom, context) => {
    const {
      local_size: size = 5,
      alpha = 1,
      beta = 0.75,
      k = 1,
      norm_region: region = 'ACROSS_CHANNELS',
    } = layer.lrn_param ?? {};
    refuse(layer, size % 2 !== 1, phrase`LRN only supports odd values for local_size, not ${size}`);
    refuse(
      layer,
      bottom.length !== 4,
      phrase`the input must have 4 axes (num, channels, height, width), not ${shapeText(bottom)}`,
    );
    const total = count(bottom);
    if (region === 'ACROSS_CHANNELS') {
      const keepsInput = losesInput(layer, context);
      const shape = { num: bottom[0], channels: bottom[1], plane: count(bottom, 2), size, alpha, beta, k };
      return {
        scratch: { scale: total, input: keepsInput ? total : 0 },
        forward({ engine, bottom: [{ data: x }], top: [{ data: y }], scratch }) {
          scratch.input.set(x.subarray(0, scratch.input.length));
          engine.lrn(shape, x, scratch.scale, y);
        },
        backward({ engine, bottom: [b], top: [t], scratch, propagate }) {
          if (!propagate[0]) return;
          const x = keepsInput ? scratch.input : b.data;
          engine.lrnBackward(shape, x, t.data, scratch.scale, t.diff, b.diff);
        },
      };
    }
    return withinChannel(bottom, size, alpha, beta);
  }),

  /**
   * Blobs: sums of means and of variances, and how much has been summed (batch_norm_layer.cpp). In TRAIN each
   * batch is normalised by its own statistics, which move the sums; in TEST the sums' averages serve.
   */
  BatchNorm: neuron((layer, bottom, { phase }) => {
    const {
      use_global_stats: global = phase === 'TEST',
      moving_average_fraction: fraction = 0.999,
      eps = 1e-5,
    } = layer.batch_norm_param ?? {};
    const channels = bottom.length === 1 ? 1 : bottom[1];
    const num = bottom[0];
    const plane = count(bottom) / (num * channels);
    const statistic = { filler: {}, learnable: false } as const;
    refuse(
      layer,
      // Three entries are how nets of 2016 wrote it; Caffe drops them when it reads the net.
      layer.param.length !== 3 && layer.param.some(({ lr_mult = 1 }) => lr_mult !== 0),
      phrase`cannot configure batch normalization statistics as layer parameters`,
      phrase`Remove the param entries or set their lr_mult to 0`,
    );
    const items = num * plane;
    /** What the statistics of the blobs make of a value. */
    const fixed = ({ params, scratch: { mean, variance: inverse } }: Pass): Affine => {
      const [means, variances, weight] = params.map(({ data }) => data);
      const factor = weight[0] === 0 ? 0 : 1 / weight[0];
      for (let c = 0; c < channels; c++) {
        inverse[c] = 1 / Math.sqrt(factor * variances[c] + eps);
        mean[c] = -factor * means[c] * inverse[c];
      }
      return { factor: inverse, bias: mean, factorDiff: null, biasDiff: null };
    };
    const shape = { num, channels, plane, eps };
    return {
      params: [
        { shape: [channels], ...statistic },
        { shape: [channels], ...statistic },
        { shape: [1], ...statistic },
      ],
      scratch: {
        mean: channels,
        variance: channels,
        normal: global ? 0 : count(bottom),
      },
      affine: global ? fixed : undefined,
      takesOver: global ? undefined : { affines: 1 },
      forward(pass) {
        const { engine, bottom, top, params, scratch, along } = pass;
        const [x, y] = [bottom[0].data, top[0].data];
        if (global) {
          const { factor, bias } = fixed(pass);
          engine.scale(num, channels, plane, x, factor, bias, y);
          return;
        }
        const { mean, variance, normal } = scratch;
        const [means, variances, weight] = params.map(({ data }) => data);
        engine.batchNorm(shape, x, along.affines.at(0), mean, variance, normal, y, along.slope);
        weight[0] = weight[0] * fraction + 1;
        const unbiased = items > 1 ? items / (items - 1) : 1;
        for (let c = 0; c < channels; c++) {
          means[c] = means[c] * fraction + mean[c];
          variances[c] = variances[c] * fraction + unbiased * variance[c];
        }
      },
      backward({ engine, bottom: [b], top: [t], scratch, propagate, along }) {
        if (!propagate[0]) return;
        const { variance, normal } = scratch;
        if (global) engine.scale(num, channels, plane, t.diff, variance, null, b.diff);
        else engine.batchNormBackward(shape, normal, variance, t.diff, along.affines.at(0), b.diff);
      },
    };
  }),

  /** Mean and variance of each item (or each channel of it) to 0 and 1; divides by sigma + eps as Caffe does. */
  MVN: neuron((layer, bottom) => {
    const {
      normalize_variance: normalizes = true,
      across_channels: across = false,
      eps = 1e-9,
    } = layer.mvn_param ?? {};
    const groups = legacySize(bottom, 0) * (across ? 1 : legacySize(bottom, 1));
    const size = count(bottom) / groups;
    return {
      scratch: { sigma: groups },
      forward({ bottom: [{ data: x }], top: [{ data: y }], scratch: { sigma } }) {
        for (let g = 0; g < groups; g++) {
          const start = g * size;
          const end = start + size;
          let mean = 0;
          for (let i = start; i < end; i++) mean += x[i];
          mean /= size;
          let variance = 0;
          for (let i = start; i < end; i++) {
            const centred = x[i] - mean;
            variance += centred * centred;
            y[i] = centred;
          }
          sigma[g] = Math.sqrt(variance / size) + eps;
          if (normalizes) for (let i = start; i < end; i++) y[i] /= sigma[g];
        }
      },
      backward({ bottom: [{ diff: dx }], top: [{ data: y, diff: dy }], scratch: { sigma }, propagate }) {
        if (!propagate[0]) return;
        for (let g = 0; g < groups; g++) {
          const start = g * size;
          const end = start + size;
          let sum = 0;
          let dot = 0;
          for (let i = start; i < end; i++) {
            sum += dy[i];
            dot += dy[i] * y[i];
          }
          for (let i = start; i < end; i++) {
            dx[i] = normalizes ? (dy[i] - (sum + y[i] * dot) / size) / sigma[g] : dy[i] - sum / size;
          }
        }
      },
    };
  }),
};
