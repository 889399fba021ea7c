import type { BiasParameter, LayerParameter, ScaleParameter } from '../../caffe/messages';
import { phrase } from '../../phrase';
import type { LayerTypes } from '../layer';
import { canonicalAxis, count, refuse, shapesDiffer, shapeText, type Shape } from '../shape';
import { losesInput } from './neuron';

/**
 * Where a smaller blob applies to a larger one: `outer` × its own values × `inner` make up the larger.
 * @param coefficients shape of the smaller blob, where a second bottom gives it; otherwise `axis` and `num_axes`
 * of the parameters choose it from the axes of the larger one
 */
function cover(
  layer: LayerParameter,
  bottom: Shape,
  coefficients: Shape | undefined,
  { axis: axisParam = 1, num_axes = 1 }: ScaleParameter | BiasParameter,
  what: string,
) {
  const scalar = coefficients === undefined ? num_axes === 0 : coefficients.length === 0;
  const axis = scalar ? 0 : canonicalAxis(layer, bottom, axisParam);
  refuse(
    layer,
    num_axes < -1,
    phrase`num_axes must be non-negative, or -1 to extend to the end of the bottom`,
  );
  const length = coefficients?.length ?? (num_axes === -1 ? bottom.length - axis : num_axes);
  const covered = bottom.slice(axis, axis + length);
  refuse(
    layer,
    axis + length > bottom.length,
    phrase`the ${what}'s shape extends past the bottom's ${shapeText(bottom)} when applied starting with axis ${axis}`,
  );
  refuse(
    layer,
    coefficients !== undefined && shapesDiffer(coefficients, covered),
    phrase`the ${what} ${shapeText(coefficients ?? [])} does not match the axes ${shapeText(covered)} of the bottom ${shapeText(bottom)}`,
  );
  return {
    shape: covered,
    outer: count(bottom, 0, axis),
    size: count(covered),
    inner: count(bottom, axis + length),
  };
}

export const scaleLayers: LayerTypes = {
  /** Multiplies by a learned blob or by the second bottom, broadcast; may add a learned bias as well. */
  Scale: {
    bottoms: [1, 2],
    tops: 1,
    plan(layer, [bottom, factors], context) {
      const param = layer.scale_param ?? {};
      const { shape, outer, size, inner } = cover(layer, bottom, factors, param, 'scale');
      const learned = factors === undefined;
      const hasBias = param.bias_term ?? false;
      const params = [
        ...(learned ? [{ shape, filler: param.filler ?? { type: 'constant', value: 1 } }] : []),
        ...(hasBias ? [{ shape, filler: param.bias_filler ?? {} }] : []),
      ];
      const bias = params.length - 1;
      const keepsInput = losesInput(layer, context);
      return {
        tops: [bottom],
        params,
        scratch: keepsInput ? { input: count(bottom) } : undefined,
        affine:
          learned && outer === bottom[0] && size === bottom[1]
            ? ({ params: [factor], params, learn }) => ({
                factor: factor.data,
                bias: hasBias ? params[bias].data : null,
                factorDiff: learn[0] ? factor.diff : null,
                biasDiff: hasBias && learn[bias] ? params[bias].diff : null,
              })
            : undefined,
        forward({ engine, bottom, top: [t], params, scratch }) {
          const [b] = bottom;
          if (keepsInput) scratch.input.set(b.data);
          const factor = (learned ? params[0] : bottom[1]).data;
          engine.scale(outer, size, inner, b.data, factor, hasBias ? params[bias].data : null, t.data);
        },
        backward({ engine, bottom, top: [t], params, scratch, propagate, learn }) {
          const [b] = bottom;
          if (hasBias && learn[bias]) engine.channelSum(outer, size, inner, t.diff, params[bias].diff);
          const factor = learned ? params[0] : bottom[1];
          if (learned ? learn[0] : propagate[1]) {
            if (!learned) factor.diff.fill(0);
            engine.channelDot(outer, size, inner, t.diff, keepsInput ? scratch.input : b.data, factor.diff);
          }
          if (propagate[0]) engine.scale(outer, size, inner, t.diff, factor.data, null, b.diff);
        },
      };
    },
  },

  /** Adds a learned blob or the second bottom, broadcast. */
  Bias: {
    bottoms: [1, 2],
    tops: 1,
    plan(layer, [bottom, terms]) {
      const param = layer.bias_param ?? {};
      const { shape, outer, size, inner } = cover(layer, bottom, terms, param, 'bias');
      const learned = terms === undefined;
      return {
        tops: [bottom],
        params: learned ? [{ shape, filler: param.filler ?? {} }] : [],
        forward({ bottom, top: [t], params }) {
          const term = (learned ? params[0] : bottom[1]).data;
          const x = bottom[0].data;
          for (let i = 0, at = 0; i < x.length; at++) {
            const value = term[at % size];
            for (const end = i + inner; i < end; i++) t.data[i] = x[i] + value;
          }
        },
        backward({ engine, bottom, top: [t], params, propagate, learn }) {
          if (propagate[0] && bottom[0] !== t) bottom[0].diff.set(t.diff);
          const term = learned ? params[0] : bottom[1];
          if (!(learned ? learn[0] : propagate[1])) return;
          if (!learned) term.diff.fill(0);
          engine.channelSum(outer, size, inner, t.diff, term.diff);
        },
      };
    },
  },
};
