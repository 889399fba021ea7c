import type { LayerParameter, PoolingParameter } from '../../caffe/messages';
import { phrase } from '../../phrase';
import type { Engine, PoolingShape } from '../../tensor/engine';
import type { LayerTypes } from '../layer';
import { count, refuse, shapeText, type Shape } from '../shape';

type PoolingMethod = NonNullable<PoolingParameter['pool']>;

/** Height first, then width. */
type Pair = [number, number];

/** What PoolingLayer::LayerSetUp makes of its parameters. */
function poolingWindow(layer: LayerParameter, bottom: Shape, param: PoolingParameter) {
  const { kernel_size, kernel_h, kernel_w, pad, pad_h, pad_w, stride, stride_h, stride_w } = param;
  refuse(
    layer,
    bottom.length !== 4,
    phrase`the input must have 4 axes (num, channels, height, width), not ${shapeText(bottom)}`,
  );
  const global = param.global_pooling ?? false;
  let kernel: Pair;
  if (global) {
    refuse(
      layer,
      kernel_size !== undefined || kernel_h !== undefined || kernel_w !== undefined,
      phrase`with global_pooling: true the filter size cannot be specified`,
    );
    kernel = [bottom[2], bottom[3]];
  } else {
    refuse(
      layer,
      kernel_size !== undefined && (kernel_h !== undefined || kernel_w !== undefined),
      phrase`filter size is kernel_size OR kernel_h and kernel_w; not both`,
    );
    refuse(
      layer,
      kernel_size === undefined && (kernel_h === undefined || kernel_w === undefined),
      phrase`kernel_size is required, or kernel_h and kernel_w for non-square filters`,
    );
    kernel = [kernel_size ?? kernel_h ?? 0, kernel_size ?? kernel_w ?? 0];
  }
  refuse(
    layer,
    pad_h !== undefined || pad_w !== undefined
      ? pad !== undefined || pad_h === undefined || pad_w === undefined
      : false,
    phrase`pad is pad OR pad_h and pad_w`,
  );
  refuse(
    layer,
    stride_h !== undefined || stride_w !== undefined
      ? stride !== undefined || stride_h === undefined || stride_w === undefined
      : false,
    phrase`stride is stride OR stride_h and stride_w`,
  );
  const padding: Pair = [pad_h ?? pad ?? 0, pad_w ?? pad ?? 0];
  const strides: Pair = [stride_h ?? stride ?? 1, stride_w ?? stride ?? 1];
  refuse(layer, kernel[0] <= 0 || kernel[1] <= 0, phrase`filter dimensions cannot be zero`);
  refuse(layer, strides[0] <= 0 || strides[1] <= 0, phrase`stride dimensions cannot be zero`);
  refuse(
    layer,
    global && (padding[0] > 0 || padding[1] > 0 || strides[0] > 1 || strides[1] > 1),
    phrase`with global_pooling: true only pad = 0 and stride = 1`,
  );
  refuse(
    layer,
    padding[0] >= kernel[0] || padding[1] >= kernel[1],
    phrase`pad ${padding.join('×')} must be smaller than the filter ${kernel.join('×')}`,
  );
  return { kernel, pad: padding, stride: strides };
}

/** Length of a pooled axis; rounds up by default, and a last window that begins in the padding is dropped. */
function pooled(size: number, kernel: number, pad: number, stride: number, round: (value: number) => number) {
  const length = round((size + 2 * pad - kernel) / stride) + 1;
  return pad > 0 && (length - 1) * stride >= size + pad ? length - 1 : length;
}
/** Pools every plane of the first bottom. */
function pooling(
  layer: LayerParameter,
  bottom: Shape,
  { kernel, pad, stride }: { kernel: Pair; pad: Pair; stride: Pair },
  method: PoolingMethod,
  round: (value: number) => number,
) {
  refuse(
    layer,
    method === 'STOCHASTIC',
    phrase`stochastic pooling is for GPUs alone in Caffe, and not implemented here`,
    phrase`Use MAX or AVE`,
  );
  const [outHeight, outWidth] = [0, 1].map((i) => pooled(bottom[2 + i], kernel[i], pad[i], stride[i], round));
  refuse(
    layer,
    outHeight <= 0 || outWidth <= 0,
    phrase`the input ${shapeText(bottom)} is smaller than the filter ${kernel.join('×')}`,
  );
  const shape: PoolingShape = {
    planes: bottom[0] * bottom[1],
    height: bottom[2],
    width: bottom[3],
    outHeight,
    outWidth,
    kernelHeight: kernel[0],
    kernelWidth: kernel[1],
    strideHeight: stride[0],
    strideWidth: stride[1],
    padHeight: pad[0],
    padWidth: pad[1],
  };
  const max = method === 'MAX';
  return {
    top: [bottom[0], bottom[1], outHeight, outWidth],
    /** Number of values of the working memory that `forward` and `backward` take. */
    indices: max ? shape.planes * outHeight * outWidth : 0,
    forward(engine: Engine, x: Float32Array, y: Float32Array, index: Float32Array | null) {
      if (max) engine.maxPool(shape, x, y, index);
      else engine.averagePool(shape, x, y);
    },
    backward(engine: Engine, dy: Float32Array, dx: Float32Array, index: Float32Array) {
      if (max) engine.maxPoolBackward(shape, index, dy, dx);
      else engine.averagePoolBackward(shape, dy, dx);
    },
  };
}

export const poolingLayers: LayerTypes = {
  /** A second top holds the place in its plane that each maximum came from. */
  Pooling: {
    bottoms: 1,
    tops: [1, 2],
    plan(layer, [bottom], { topCount, gradients = false }) {
      const param = layer.pooling_param ?? {};
      const method = param.pool ?? 'MAX';
      refuse(layer, topCount > 1 && method !== 'MAX', phrase`only max pooling has a second top`);
      // Forks say `ceil_mode` where BVLC says `round_mode`.
      const floors = param.round_mode === 'FLOOR' || param.ceil_mode === false;
      const round = floors ? Math.floor : Math.ceil;
      const pool = pooling(layer, bottom, poolingWindow(layer, bottom, param), method, round);
      /** Whether somebody asks where the maxima came from. */
      const asked = gradients || topCount > 1;
      return {
        tops: new Array<Shape>(topCount).fill(pool.top),
        scratch: { index: asked ? pool.indices : 0 },
        forward({ engine, bottom: [b], top, scratch: { index } }) {
          pool.forward(engine, b.data, top[0].data, asked ? index : null);
          if (topCount > 1) top[1].data.set(index);
        },
        backward({ engine, bottom: [b], top: [t], scratch: { index }, propagate }) {
          if (propagate[0]) pool.backward(engine, t.diff, b.diff, index);
        },
      };
    },
  },

  /** Spatial pyramid pooling (He et al., 2014): poolings into 1, 4, 16 … bins, side by side. */
  SPP: {
    bottoms: 1,
    tops: 1,
    plan(layer, [bottom]) {
      const { pyramid_height: levels = 0, pool: method = 'MAX' } = layer.spp_param ?? {};
      refuse(layer, bottom.length !== 4, phrase`the input must have 4 axes, not ${shapeText(bottom)}`);
      refuse(layer, levels <= 0, phrase`pyramid_height must be positive`);
      const pools = Array.from({ length: levels }, (_, level) => {
        const bins = 2 ** level;
        const kernel = [2, 3].map((axis) => Math.ceil(bottom[axis] / bins)) as Pair;
        const pad = [2, 3].map((axis, i) => Math.floor((kernel[i] * bins - bottom[axis] + 1) / 2)) as Pair;
        refuse(
          layer,
          pad[0] >= kernel[0] || pad[1] >= kernel[1],
          phrase`the input ${shapeText(bottom)} is too small for ${levels} levels`,
        );
        return pooling(layer, bottom, { kernel, pad, stride: kernel }, method, Math.ceil);
      });
      const sizes = pools.map(({ top }) => count(top, 1));
      const width = sizes.reduce((sum, size) => sum + size, 0);
      const values = bottom[0] * width;
      /** Calls `visit` with each level, its own values, and its piece of each item of the top. */
      const each = (
        scratch: Record<string, Float32Array>,
        visit: (level: number, own: Float32Array, index: Float32Array, start: number) => void,
      ) => {
        let start = 0;
        let used = 0;
        pools.forEach(({ top, indices }, level) => {
          const size = count(top);
          visit(
            level,
            scratch.pooled.subarray(bottom[0] * start, bottom[0] * start + size),
            scratch.index.subarray(used, used + indices),
            start,
          );
          start += sizes[level];
          used += indices;
        });
      };
      return {
        // A single level keeps the shape of a pooling.
        tops: [levels === 1 ? pools[0].top : [bottom[0], width]],
        scratch: {
          pooled: values,
          index: pools.reduce((sum, { indices }) => sum + indices, 0),
          gradient: count(bottom),
        },
        forward({ engine, bottom: [b], top: [t], scratch }) {
          each(scratch, (level, own, index, start) => {
            pools[level].forward(engine, b.data, own, index);
            const size = sizes[level];
            for (let n = 0; n < bottom[0]; n++)
              t.data.set(own.subarray(n * size, (n + 1) * size), n * width + start);
          });
        },
        backward({ engine, bottom: [b], top: [t], scratch, propagate }) {
          if (!propagate[0]) return;
          b.diff.fill(0);
          each(scratch, (level, own, index, start) => {
            const size = sizes[level];
            for (let n = 0; n < bottom[0]; n++)
              own.set(t.diff.subarray(n * width + start, n * width + start + size), n * size);
            pools[level].backward(engine, own, scratch.gradient, index);
            engine.axpy(1, scratch.gradient, b.diff);
          });
        },
      };
    },
  },
};
