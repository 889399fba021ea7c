import type { InnerProductParameter, LayerParameter } from '../../caffe/messages';
import { phrase } from '../../phrase';
import type { LayerPlan, LayerType, LayerTypes, ParamPlan } from '../layer';
import { canonicalAxis, count, refuse, type Shape } from '../shape';
import { masked } from './convolution';

/** Rows of K values times the weights, N×K (K×N when `transpose`), plus a bias. */
function innerProduct(layer: LayerParameter, bottom: Shape, param: InnerProductParameter): LayerPlan {
  const { num_output: n = 0, bias_term: hasBias = true, axis: axisParam = 1, transpose = false } = param;
  refuse(layer, n <= 0, phrase`num_output must be positive`);
  const axis = canonicalAxis(layer, bottom, axisParam);
  const m = count(bottom, 0, axis);
  const k = count(bottom, axis);
  const params: ParamPlan[] = [{ shape: transpose ? [k, n] : [n, k], filler: param.weight_filler ?? {} }];
  if (hasBias) params.push({ shape: [n], filler: param.bias_filler ?? {} });
  return {
    tops: [[...bottom.slice(0, axis), n]],
    params,
    macs: m * n * k,
    forward({ engine, bottom: [{ data: x }], top: [{ data: y }], params: [weight, bias] }) {
      engine.innerProduct(m, n, k, transpose, x, weight.data, hasBias ? bias.data : null, y);
    },
    backward({ engine, bottom: [b], top: [{ diff: dy }], params: [weight, bias], propagate, learn }) {
      if (learn[0]) {
        if (transpose) engine.gemm(true, false, k, n, m, 1, b.data, dy, 1, weight.diff);
        else engine.gemm(true, false, n, k, m, 1, dy, b.data, 1, weight.diff);
      }
      if (hasBias && learn[1]) engine.channelSum(m, n, 1, dy, bias.diff);
      if (propagate[0]) engine.gemm(false, transpose, m, k, n, 1, dy, weight.data, 0, b.diff);
    },
  };
}

const planInnerProduct: LayerType['plan'] = (layer, [bottom]) =>
  innerProduct(layer, bottom, layer.inner_product_param ?? {});

export const innerProductLayers: LayerTypes = {
  InnerProduct: {
    bottoms: 1,
    tops: 1,
    plan: planInnerProduct,
  },

  CInnerProduct: {
    bottoms: 1,
    tops: 1,
    plan: masked(planInnerProduct, (layer) => layer.cinner_product_param ?? {}),
  },

  /** A row of the weights for each index in the bottom. */
  Embed: {
    bottoms: 1,
    tops: 1,
    noGradient: [0],
    plan(layer, [bottom]) {
      const param = layer.embed_param ?? {};
      const { num_output: n = 0, input_dim: k = 0, bias_term: hasBias = true } = param;
      refuse(layer, n <= 0, phrase`num_output must be positive`);
      refuse(layer, k <= 0, phrase`input_dim must be positive`);
      const params: ParamPlan[] = [{ shape: [k, n], filler: param.weight_filler ?? {} }];
      if (hasBias) params.push({ shape: [n], filler: param.bias_filler ?? {} });
      return {
        tops: [[...bottom, n]],
        params,
        forward({ bottom: [{ data: indices }], top: [{ data: y }], params: [weight, bias] }) {
          indices.forEach((index, row) => {
            refuse(layer, !(index >= 0 && index < k), phrase`index ${index} is outside of 0..${k - 1}`);
            const from = Math.trunc(index) * n;
            y.set(weight.data.subarray(from, from + n), row * n);
            if (hasBias) for (let j = 0; j < n; j++) y[row * n + j] += bias.data[j];
          });
        },
        backward({
          engine,
          bottom: [{ data: indices }],
          top: [{ diff: dy }],
          params: [weight, bias],
          learn,
        }) {
          if (learn[0]) {
            indices.forEach((index, row) => {
              const to = Math.trunc(index) * n;
              for (let j = 0; j < n; j++) weight.diff[to + j] += dy[row * n + j];
            });
          }
          if (hasBias && learn[1]) engine.channelSum(dy.length / n, n, 1, dy, bias.diff);
        },
      };
    },
  },
};
