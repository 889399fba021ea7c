import type { LayerParameter } from '../../caffe/messages';
import { phrase } from '../../phrase';
import type { LayerPlan, LayerType, LayerTypes, PlanContext } from '../layer';
import { count, fail, refuse, type Shape } from '../shape';

/** A layer of one bottom and one top of the same shape. */
export function neuron(
  compute: (layer: LayerParameter, bottom: Shape, context: PlanContext) => Omit<LayerPlan, 'tops'>,
): LayerType {
  return {
    bottoms: 1,
    tops: 1,
    plan: (layer, [bottom], context) => ({ tops: [bottom], ...compute(layer, bottom, context) }),
  };
}

/**
 * A function of each value alone. `slope` is its derivative, told by the input and the output; where it needs
 * the input (`of` is 'input') an in-place layer keeps a copy of it.
 */
function elementwise(
  bottom: Shape,
  layer: LayerParameter,
  context: PlanContext,
  value: (x: number) => number,
  slope: (xOrY: number) => number,
  of: 'input' | 'output',
): Omit<LayerPlan, 'tops'> {
  const keepsInput = of === 'input' && losesInput(layer, context);
  return {
    scratch: keepsInput ? { input: count(bottom) } : undefined,
    forward({ bottom: [{ data: x }], top: [{ data: y }], scratch }) {
      if (keepsInput) scratch.input.set(x);
      for (let i = 0; i < y.length; i++) y[i] = value(x[i]);
    },
    backward({ bottom: [b], top: [t], scratch, propagate }) {
      if (!propagate[0]) return;
      const known = of === 'output' ? t.data : keepsInput ? scratch.input : b.data;
      const dx = b.diff;
      const dy = t.diff;
      for (let i = 0; i < dx.length; i++) dx[i] = dy[i] * slope(known[i]);
    },
  };
}

/** Whether the layer writes its first top over its first bottom. */
export function isInPlace(layer: LayerParameter): boolean {
  return layer.bottom.length > 0 && layer.bottom[0] === layer.top[0];
}

/** @throws CaffeError when a layer that must not write over its bottom does */
export function refuseInPlace(layer: LayerParameter): void {
  refuse(
    layer,
    isInPlace(layer),
    phrase`${layer.type} does not allow in-place computation`,
    phrase`Give the top its own name`,
  );
}

/** Whether backward finds nothing of the layer's first bottom unless forward keeps a copy. */
export function losesInput(layer: LayerParameter, { gradients = false }: PlanContext): boolean {
  return gradients && isInPlace(layer);
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** The base of Exp and Log as a factor of the natural exponent: -1, the default, stands for e. */
function naturalLog(layer: LayerParameter, base: number): number {
  if (base === -1) return 1;
  refuse(layer, base <= 0, phrase`base must be strictly positive`);
  return Math.log(base);
}

export const neuronLayers: LayerTypes = {
  ReLU: neuron((layer) => {
    const slope = layer.relu_param?.negative_slope ?? 0;
    return {
      slope,
      forward: ({ engine, bottom, top }) => engine.relu(bottom[0].data, top[0].data, slope),
      backward({ engine, bottom, top, propagate }) {
        // In place the input is gone; the output has the same sign.
        if (propagate[0]) engine.reluBackward(bottom[0].data, top[0].diff, bottom[0].diff, slope);
      },
    };
  }),

  ReLU6: neuron((layer, bottom, context) =>
    elementwise(
      bottom,
      layer,
      context,
      (x) => Math.min(Math.max(x, 0), 6),
      (y) => (y > 0 && y < 6 ? 1 : 0),
      'output',
    ),
  ),

  Clip: neuron((layer, bottom, context) => {
    const { min, max } = layer.clip_param ?? {};
    if (min === undefined || max === undefined) return fail(layer, phrase`clip_param must give min and max`);
    return elementwise(
      bottom,
      layer,
      context,
      (x) => Math.min(Math.max(x, min), max),
      (x) => (x >= min && x <= max ? 1 : 0),
      'input',
    );
  }),

  PReLU: neuron((layer, bottom, context) => {
    refuse(layer, bottom.length < 2, phrase`the bottom must have at least 2 axes`);
    const { channel_shared: shared = false, filler } = layer.prelu_param ?? {};
    const channels = bottom[1];
    const inner = count(bottom, 2);
    const keepsInput = losesInput(layer, context);
    return {
      params: [{ shape: shared ? [] : [channels], filler: filler ?? { type: 'constant', value: 0.25 } }],
      scratch: keepsInput ? { input: count(bottom) } : undefined,
      forward({ engine, bottom: [{ data: x }], top: [{ data: y }], params: [slope], scratch }) {
        if (keepsInput) scratch.input.set(x);
        if (shared) engine.prelu(bottom[0], 1, count(bottom, 1), x, slope.data, y);
        else engine.prelu(bottom[0], channels, inner, x, slope.data, y);
      },
      backward({ bottom: [b], top: [t], params: [slope], scratch, propagate, learn }) {
        const x = keepsInput ? scratch.input : b.data;
        const dy = t.diff;
        for (let i = 0, plane = 0; i < x.length; plane++) {
          const channel = shared ? 0 : plane % channels;
          const a = slope.data[channel];
          const start = i;
          const end = i + inner;
          if (learn[0]) {
            let sum = 0;
            for (i = start; i < end; i++) if (x[i] <= 0) sum += dy[i] * x[i];
            slope.diff[channel] += sum;
          }
          if (propagate[0]) for (i = start; i < end; i++) b.diff[i] = x[i] > 0 ? dy[i] : a * dy[i];
          i = end;
        }
      },
    };
  }),

  ELU: neuron((layer, bottom, context) => {
    const alpha = layer.elu_param?.alpha ?? 1;
    return elementwise(
      bottom,
      layer,
      context,
      (x) => (x > 0 ? x : alpha * Math.expm1(x)),
      (y) => (y > 0 ? 1 : alpha + y),
      'output',
    );
  }),

  Sigmoid: neuron((layer, bottom, context) =>
    elementwise(bottom, layer, context, sigmoid, (y) => y * (1 - y), 'output'),
  ),

  TanH: neuron((layer, bottom, context) =>
    elementwise(bottom, layer, context, Math.tanh, (y) => 1 - y * y, 'output'),
  ),

  Swish: neuron((layer, bottom, context) => {
    const beta = layer.swish_param?.beta ?? 1;
    return elementwise(
      bottom,
      layer,
      context,
      (x) => x * sigmoid(beta * x),
      (x) => {
        const s = sigmoid(beta * x);
        return s + beta * x * s * (1 - s);
      },
      'input',
    );
  }),

  AbsVal: neuron((layer, bottom, context) => {
    refuseInPlace(layer);
    return elementwise(bottom, layer, context, Math.abs, Math.sign, 'input');
  }),

  BNLL: neuron((layer, bottom, context) =>
    elementwise(
      bottom,
      layer,
      context,
      (x) => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x))),
      sigmoid,
      'input',
    ),
  ),

  Exp: neuron((layer, bottom, context) => {
    const { base = -1, scale = 1, shift = 0 } = layer.exp_param ?? {};
    const rate = naturalLog(layer, base);
    return elementwise(
      bottom,
      layer,
      context,
      (x) => Math.exp(rate * (shift + scale * x)),
      (y) => y * rate * scale,
      'output',
    );
  }),

  Log: neuron((layer, bottom, context) => {
    const { base = -1, scale = 1, shift = 0 } = layer.log_param ?? {};
    const rate = naturalLog(layer, base);
    return elementwise(
      bottom,
      layer,
      context,
      (x) => Math.log(shift + scale * x) / rate,
      (x) => scale / (rate * (shift + scale * x)),
      'input',
    );
  }),

  Power: neuron((layer, bottom, context) => {
    const { power = 1, scale = 1, shift = 0 } = layer.power_param ?? {};
    return elementwise(
      bottom,
      layer,
      context,
      (x) => Math.pow(shift + scale * x, power),
      (x) => (power * scale === 0 ? 0 : power * scale * Math.pow(shift + scale * x, power - 1)),
      'input',
    );
  }),

  Threshold: neuron((layer) => {
    const threshold = layer.threshold_param?.threshold ?? 0;
    return {
      forward({ bottom: [{ data: x }], top: [{ data: y }] }) {
        for (let i = 0; i < y.length; i++) y[i] = x[i] > threshold ? 1 : 0;
      },
    };
  }),

  /** Keeps a value with the probability 1 - ratio and scales it by 1 / (1 - ratio); in TEST it does nothing. */
  Dropout: neuron((layer, bottom, { phase }) => {
    const ratio = layer.dropout_param?.dropout_ratio ?? 0.5;
    refuse(
      layer,
      ratio < 0 || ratio >= 1,
      phrase`dropout_ratio must be at least 0 and below 1, not ${ratio}`,
    );
    if (phase === 'TEST') {
      return {
        forward({ bottom: [b], top: [t] }) {
          if (b !== t) t.data.set(b.data);
        },
        backward({ bottom: [b], top: [t], propagate }) {
          if (propagate[0] && b !== t) b.diff.set(t.diff);
        },
      };
    }
    const scale = 1 / (1 - ratio);
    return {
      scratch: { factor: count(bottom) },
      forward({ bottom: [{ data: x }], top: [{ data: y }], scratch: { factor }, random }) {
        for (let i = 0; i < y.length; i++) {
          factor[i] = random.unit() < ratio ? 0 : scale;
          y[i] = x[i] * factor[i];
        }
      },
      backward({ bottom: [{ diff: dx }], top: [{ diff: dy }], scratch: { factor }, propagate }) {
        if (propagate[0]) for (let i = 0; i < dx.length; i++) dx[i] = dy[i] * factor[i];
      },
    };
  }),
};
