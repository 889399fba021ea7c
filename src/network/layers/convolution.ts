import type { CConvolutionParameter, ConvolutionParameter, LayerParameter } from '../../caffe/messages';
import { phrase } from '../../phrase';
import type { ConvolutionShape } from '../../tensor/engine';
import type { LayerPlan, LayerType, LayerTypes, ParamPlan, Pass, PlanContext } from '../layer';
import { canonicalAxis, count, refuse, shapesDiffer, shapeText, type Shape } from '../shape';

/** A window that slides over the spatial axes: one entry per axis. */
interface Window {
  kernel: number[];
  stride: number[];
  pad: number[];
  dilation: number[];
}

/** Reads one of the per-axis settings: once for all axes, once per axis, or as `_h` and `_w`. */
function perAxis(
  layer: LayerParameter,
  what: string,
  axes: number,
  repeated: readonly number[] | undefined,
  byDefault: number | undefined,
  h?: number,
  w?: number,
): number[] {
  if (h !== undefined || w !== undefined) {
    refuse(layer, axes !== 2, phrase`${what}_h and ${what}_w can only be used for 2-D convolution`);
    refuse(
      layer,
      (repeated ?? []).length > 0,
      phrase`either ${what} or ${what}_h/w should be specified; not both`,
    );
    return [h ?? byDefault ?? 0, w ?? byDefault ?? 0];
  }
  const values = repeated ?? [];
  if (values.length === 0 && byDefault !== undefined) return new Array<number>(axes).fill(byDefault);
  refuse(
    layer,
    values.length !== 1 && values.length !== axes,
    phrase`${what} must be specified once, or once per spatial dimension (specified ${values.length} times; ${axes} spatial dimensions)`,
  );
  return Array.from({ length: axes }, (_, i) => values[values.length === 1 ? 0 : i]);
}

function slidingWindow(layer: LayerParameter, param: ConvolutionParameter, axes: number): Window {
  const kernel = perAxis(
    layer,
    param.kernel_h !== undefined || param.kernel_w !== undefined ? 'kernel' : 'kernel_size',
    axes,
    param.kernel_size,
    undefined,
    param.kernel_h,
    param.kernel_w,
  );
  const stride = perAxis(layer, 'stride', axes, param.stride, 1, param.stride_h, param.stride_w);
  const pad = perAxis(layer, 'pad', axes, param.pad, 0, param.pad_h, param.pad_w);
  const dilation = perAxis(layer, 'dilation', axes, param.dilation, 1);
  refuse(
    layer,
    kernel.some((size) => size <= 0),
    phrase`filter dimensions must be nonzero`,
  );
  refuse(
    layer,
    stride.some((size) => size <= 0),
    phrase`stride dimensions must be nonzero`,
  );
  return { kernel, stride, pad, dilation };
}

/** Length of an axis after a window has slid over it, rounded down as convolution does. */
function slid(size: number, { kernel, stride, pad, dilation }: Window, axis: number): number {
  const extent = dilation[axis] * (kernel[axis] - 1) + 1;
  return Math.floor((size + 2 * pad[axis] - extent) / stride[axis]) + 1;
}

/** Length of the axis that a window slides over to give `size`: the transposed convolution's output. */
function unslid(size: number, { kernel, stride, pad, dilation }: Window, axis: number): number {
  const extent = dilation[axis] * (kernel[axis] - 1) + 1;
  return stride[axis] * (size - 1) + extent - 2 * pad[axis];
}

/**
 * Convolution, or deconvolution: the same sum with input and output exchanged. Weights are output channels ×
 * input channels per group × window, where a deconvolution's input counts as the output.
 */
function convolution(
  layer: LayerParameter,
  bottoms: readonly Shape[],
  param: ConvolutionParameter,
  transposed: boolean,
  { gradients = false }: PlanContext,
): LayerPlan {
  const [bottom] = bottoms;
  const axis = canonicalAxis(layer, bottom, param.axis ?? 1);
  const axes = bottom.length - axis - 1;
  const window = slidingWindow(layer, param, axes);
  const { num_output: outputs = 0, group = 1, bias_term: hasBias = true } = param;
  const channels = bottom[axis];
  refuse(layer, outputs <= 0, phrase`num_output must be positive`);
  refuse(layer, group <= 0, phrase`group must be positive`);
  refuse(layer, channels % group > 0, phrase`group ${group} does not divide the ${channels} input channels`);
  refuse(layer, outputs % group > 0, phrase`num_output ${outputs} should be a multiple of group ${group}`);
  for (const other of bottoms) {
    refuse(
      layer,
      shapesDiffer(other, bottom),
      phrase`all bottoms must have the same shape: ${bottoms.map(shapeText).join(', ')}`,
    );
  }
  const spatial = bottom.slice(axis + 1);
  const slide = transposed ? unslid : slid;
  const topSpatial = spatial.map((size, i) => slide(size, window, i));
  refuse(
    layer,
    topSpatial.some((size) => size <= 0),
    phrase`the input ${shapeText(bottom)} is too small for the window ${shapeText(window.kernel)}`,
  );
  const top = [...bottom.slice(0, axis), outputs, ...topSpatial];
  const [from, to] = transposed ? [outputs, channels] : [channels, outputs];
  const params: ParamPlan[] = [
    { shape: [to, from / group, ...window.kernel], filler: param.weight_filler ?? {} },
  ];
  if (hasBias) params.push({ shape: [outputs], filler: param.bias_filler ?? {} });

  const num = count(bottom, 0, axis);
  // The engine knows two spatial axes: fewer are axes of length 1.
  const missing = Math.max(0, 2 - axes);
  const pair = (values: readonly number[], byDefault: number) => [
    ...new Array<number>(missing).fill(byDefault),
    ...values,
  ];
  const [height, width] = pair(spatial, 1);
  const [topHeight, topWidth] = pair(topSpatial, 1);
  const [kernelHeight, kernelWidth] = pair(window.kernel, 1);
  const [strideHeight, strideWidth] = pair(window.stride, 1);
  const [padHeight, padWidth] = pair(window.pad, 0);
  const [dilationHeight, dilationWidth] = pair(window.dilation, 1);
  const shape: ConvolutionShape = {
    num,
    channels: from,
    height: transposed ? topHeight : height,
    width: transposed ? topWidth : width,
    outputs: to,
    outHeight: transposed ? height : topHeight,
    outWidth: transposed ? width : topWidth,
    kernelHeight,
    kernelWidth,
    strideHeight,
    strideWidth,
    padHeight,
    padWidth,
    dilationHeight,
    dilationWidth,
    group,
  };
  const topPlane = count(topSpatial);
  return {
    tops: bottoms.map(() => top),
    params,
    macs:
      bottoms.length *
      num *
      count(transposed ? spatial : topSpatial) *
      to *
      (from / group) *
      count(window.kernel),
    scratch: transposed ? { ones: hasBias ? outputs : 0 } : { factor: outputs, shift: outputs },
    // Its gradients are those of its own outputs, and its outputs must be the channels of what follows.
    takesOver: transposed ? undefined : { affines: gradients || axis !== 1 ? 0 : Infinity },
    forward({ engine, bottom, top, params: [weight, bias], scratch, along: { affines, slope } }) {
      refuse(layer, axes > 2, phrase`convolution over ${axes} spatial axes cannot be run; up to 2 can`);
      bottom.forEach(({ data: x }, i) => {
        const y = top[i].data;
        if (!transposed) {
          const own = hasBias ? bias.data : null;
          if (affines.length === 0) {
            engine.convolution(shape, x, weight.data, own, y, null, slope);
            return;
          }
          const { factor, shift } = scratch;
          factor.fill(1);
          if (own) shift.set(own);
          else shift.fill(0);
          for (const affine of affines) {
            for (let c = 0; c < outputs; c++) {
              factor[c] *= affine.factor[c];
              shift[c] = shift[c] * affine.factor[c] + (affine.bias?.[c] ?? 0);
            }
          }
          engine.convolution(shape, x, weight.data, shift, y, factor, slope);
        } else {
          engine.convolutionInput(shape, x, weight.data, y);
          if (hasBias) engine.scale(num, outputs, topPlane, y, scratch.ones.fill(1), bias.data, y);
        }
      });
    },
    backward({ engine, bottom, top, params: [weight, bias], propagate, learn }) {
      bottom.forEach(({ data: x, diff: dx }, i) => {
        const dy = top[i].diff;
        if (hasBias && learn[1]) engine.channelSum(num, outputs, topPlane, dy, bias.diff);
        if (learn[0]) {
          if (transposed) engine.convolutionWeights(shape, dy, x, weight.diff);
          else engine.convolutionWeights(shape, x, dy, weight.diff);
        }
        if (propagate[i]) {
          if (transposed) engine.convolution(shape, dy, weight.data, null, dx);
          else engine.convolutionInput(shape, dy, weight.data, dx);
        }
      });
    },
  };
}

function convolutionLayer(
  transposed: boolean,
  paramOf: (layer: LayerParameter, bottom: Shape) => ConvolutionParameter = (layer) =>
    layer.convolution_param ?? {},
): LayerType {
  return {
    bottoms: [1],
    tops: [1],
    topsMatchBottoms: true,
    plan: (layer, bottoms, context) =>
      convolution(layer, bottoms, paramOf(layer, bottoms[0]), transposed, context),
  };
}

/** Forks name the convolution whose groups are its channels; some leave `group` out. */
const depthwise = convolutionLayer(false, (layer, bottom) => ({
  ...layer.convolution_param,
  group: layer.convolution_param?.group ?? bottom[1],
}));

/**
 * The layers of Dynamic Network Surgery (Guo et al., 2016): an ordinary layer whose weights and biases each have
 * a mask blob behind them. What is computed, and what gradients pass through, are the masked weights.
 */
export function masked(
  plan: LayerType['plan'],
  maskFillers: (layer: LayerParameter) => CConvolutionParameter,
) {
  return (...args: Parameters<LayerType['plan']>): LayerPlan => {
    const inner = plan(...args);
    const own = inner.params ?? [];
    const { weight_mask_filler, bias_mask_filler } = maskFillers(args[0]);
    const masks = own.map(({ shape }, i): ParamPlan => ({
      shape,
      filler: (i === 0 ? weight_mask_filler : bias_mask_filler) ?? { type: 'constant', value: 1 },
      learnable: false,
    }));
    const scratch = { ...inner.scratch };
    own.forEach(({ shape }, i) => (scratch[`masked${i}`] = count(shape)));
    const apply = <P extends Pass>(pass: P): P => ({
      ...pass,
      params: own.map((_, i) => {
        const data = pass.scratch[`masked${i}`];
        const { data: weights, diff, shape } = pass.params[i];
        const mask = pass.params[own.length + i].data;
        for (let j = 0; j < data.length; j++) data[j] = weights[j] * mask[j];
        return { shape, data, diff, reshape: pass.params[i].reshape };
      }),
    });
    return {
      ...inner,
      params: [...own, ...masks],
      scratch,
      forward: (pass) => inner.forward?.(apply(pass)),
      backward: (pass) => inner.backward?.(apply(pass)),
    };
  };
}

/** The values under each place of the window, one below the other: channels × window × places. */
const im2col: LayerType = {
  bottoms: 1,
  tops: 1,
  plan(layer, [bottom]) {
    const param = layer.convolution_param ?? {};
    const axis = canonicalAxis(layer, bottom, param.axis ?? 1);
    const spatial = bottom.slice(axis + 1);
    const window = slidingWindow(layer, param, spatial.length);
    const places = spatial.map((size, i) => slid(size, window, i));
    const channels = count(bottom, 0, axis + 1);
    /** Calls `visit` for each value of the top that is not padding, with its place and that in the bottom. */
    const each = (visit: (to: number, from: number) => void) => {
      const steps = [...window.kernel, ...places];
      const at = new Array<number>(steps.length).fill(0);
      const perChannel = count(steps);
      for (let i = 0; i < perChannel; i++) {
        for (let rest = i, k = steps.length - 1; k >= 0; k--) {
          at[k] = rest % steps[k];
          rest = Math.floor(rest / steps[k]);
        }
        let from = 0;
        const inside = spatial.every((size, k) => {
          const place =
            at[spatial.length + k] * window.stride[k] - window.pad[k] + at[k] * window.dilation[k];
          from = from * size + place;
          return place >= 0 && place < size;
        });
        if (inside) for (let c = 0; c < channels; c++) visit(c * perChannel + i, c * count(spatial) + from);
      }
    };
    return {
      tops: [[...bottom.slice(0, axis), bottom[axis] * count(window.kernel), ...places]],
      forward({ bottom: [{ data: x }], top: [{ data: y }] }) {
        y.fill(0);
        each((to, from) => (y[to] = x[from]));
      },
      backward({ bottom: [{ diff: dx }], top: [{ diff: dy }], propagate }) {
        if (!propagate[0]) return;
        dx.fill(0);
        each((to, from) => (dx[from] += dy[to]));
      },
    };
  },
};

const convolutionType = convolutionLayer(false);

export const convolutionLayers: LayerTypes = {
  Convolution: convolutionType,
  CConvolution: {
    ...convolutionType,
    plan: masked(convolutionType.plan, (layer) => layer.cconvolution_param ?? {}),
  },
  Deconvolution: convolutionLayer(true),
  Im2col: im2col,
  ConvolutionDepthwise: depthwise,
  DepthwiseConvolution: depthwise,
};
