import { phrase } from '../../phrase';
import type { LayerTypes } from '../layer';
import {
  canonicalAxis,
  count,
  differ,
  legacySize,
  refuse,
  shapesDiffer,
  shapeText,
  type Shape,
} from '../shape';
import { refuseInPlace } from './neuron';

/** Copies the `size` values from `source[from]` on to `target[to]` on. */
function copy(source: Float32Array, from: number, target: Float32Array, to: number, size: number): void {
  target.set(source.subarray(from, from + size), to);
}

/** Adds the `size` values from `source[from]` on to those of `target` from `to` on. */
function add(source: Float32Array, from: number, target: Float32Array, to: number, size: number): void {
  for (let i = 0; i < size; i++) target[to + i] += source[from + i];
}

/**
 * How often each of several parts of an axis goes into the whole: one run of copies for Concat and Slice.
 * @returns for each part the offset and length, in values, of its piece within one outer step
 */
function pieces(parts: readonly Shape[], axis: number): { offset: number; length: number }[] {
  let offset = 0;
  return parts.map((shape) => {
    const length = count(shape, axis);
    const piece = { offset, length };
    offset += length;
    return piece;
  });
}

export const arrangeLayers: LayerTypes = {
  Split: {
    bottoms: 1,
    tops: [1],
    plan: (_layer, [bottom], { topCount }) => ({
      tops: new Array<Shape>(topCount).fill(bottom),
      shares: 'data',
      backward({ engine, bottom: [b], top, propagate }) {
        if (!propagate[0]) return;
        const diffs = top.map(({ diff }) => diff);
        engine.sum(
          diffs,
          diffs.map(() => 1),
          b.diff,
        );
      },
    }),
  },

  Concat: {
    bottoms: [1],
    tops: 1,
    plan(layer, bottoms) {
      const param = layer.concat_param ?? {};
      refuse(
        layer,
        param.axis !== undefined && param.concat_dim !== undefined,
        phrase`either axis or concat_dim should be specified; not both`,
      );
      const [first] = bottoms;
      const axis = canonicalAxis(layer, first, param.concat_dim ?? param.axis ?? 1);
      for (const bottom of bottoms) {
        refuse(layer, bottom.length !== first.length, phrase`all inputs must have the same number of axes`);
        refuse(
          layer,
          bottom.some((size, i) => i !== axis && differ(size, first[i])),
          phrase`all inputs must have the same shape, except along axis ${axis}: ${bottoms.map(shapeText).join(', ')}`,
        );
      }
      const top = first.with(
        axis,
        bottoms.reduce((sum, bottom) => sum + bottom[axis], 0),
      );
      if (bottoms.length === 1) return { tops: [top], shares: 'all' };
      const parts = pieces(bottoms, axis);
      const outer = count(first, 0, axis);
      const stride = count(top, axis);
      return {
        tops: [top],
        forward({ bottom, top: [{ data: y }] }) {
          parts.forEach(({ offset, length }, part) => {
            for (let n = 0; n < outer; n++)
              copy(bottom[part].data, n * length, y, n * stride + offset, length);
          });
        },
        backward({ bottom, top: [{ diff: dy }], propagate }) {
          parts.forEach(({ offset, length }, part) => {
            if (!propagate[part]) return;
            for (let n = 0; n < outer; n++)
              copy(dy, n * stride + offset, bottom[part].diff, n * length, length);
          });
        },
      };
    },
  },

  Slice: {
    bottoms: 1,
    tops: [1],
    plan(layer, [bottom], { topCount }) {
      const param = layer.slice_param ?? {};
      refuse(
        layer,
        param.axis !== undefined && param.slice_dim !== undefined,
        phrase`either axis or slice_dim should be specified; not both`,
      );
      const axis = canonicalAxis(layer, bottom, param.slice_dim ?? param.axis ?? 1);
      const size = bottom[axis];
      const points = param.slice_point ?? [];
      let sizes: number[];
      if (points.length > 0) {
        refuse(
          layer,
          points.length !== topCount - 1,
          phrase`${points.length} slice_points cut the bottom into ${points.length + 1} slices, but there are ${topCount} tops`,
        );
        const edges = [0, ...points, size];
        sizes = edges.slice(1).map((edge, i) => edge - edges[i]);
        refuse(
          layer,
          sizes.some((length) => length <= 0),
          phrase`slice_points must grow and stay below ${size}, the size of axis ${axis}: ${points.join(', ')}`,
        );
      } else {
        refuse(
          layer,
          size % topCount > 0,
          phrase`the number of tops (${topCount}) should evenly divide axis ${axis} of size ${size}`,
        );
        sizes = new Array<number>(topCount).fill(size / topCount);
      }
      const tops = sizes.map((length) => bottom.with(axis, length));
      if (topCount === 1) return { tops, shares: 'all' };
      const parts = pieces(tops, axis);
      const outer = count(bottom, 0, axis);
      const stride = count(bottom, axis);
      return {
        tops,
        forward({ bottom: [{ data: x }], top }) {
          parts.forEach(({ offset, length }, part) => {
            for (let n = 0; n < outer; n++) copy(x, n * stride + offset, top[part].data, n * length, length);
          });
        },
        backward({ bottom: [{ diff: dx }], top, propagate }) {
          if (!propagate[0]) return;
          parts.forEach(({ offset, length }, part) => {
            for (let n = 0; n < outer; n++) copy(top[part].diff, n * length, dx, n * stride + offset, length);
          });
        },
      };
    },
  },

  Flatten: {
    bottoms: 1,
    tops: 1,
    plan(layer, [bottom]) {
      refuseInPlace(layer);
      const start = canonicalAxis(layer, bottom, layer.flatten_param?.axis ?? 1);
      const end = canonicalAxis(layer, bottom, layer.flatten_param?.end_axis ?? -1);
      refuse(layer, end < start, phrase`end_axis ${end} comes before axis ${start}`);
      return {
        tops: [[...bottom.slice(0, start), count(bottom, start, end + 1), ...bottom.slice(end + 1)]],
        shares: 'all',
      };
    },
  },

  Reshape: {
    bottoms: 1,
    tops: 1,
    plan(layer, [bottom]) {
      refuseInPlace(layer);
      const { shape, axis = 0, num_axes = -1 } = layer.reshape_param ?? {};
      const dims = shape?.dim ?? [];
      const start = axis >= 0 ? axis : bottom.length + axis + 1;
      refuse(
        layer,
        start < 0 || start > bottom.length,
        phrase`axis ${axis} is out of range for a blob of ${bottom.length} axes (${shapeText(bottom)})`,
      );
      refuse(layer, num_axes < -1, phrase`num_axes must be >= 0, or -1 for all`);
      const end = num_axes === -1 ? bottom.length : start + num_axes;
      refuse(
        layer,
        end > bottom.length,
        phrase`axis + num_axes = ${end} is out of range for a blob of ${bottom.length} axes`,
      );
      refuse(layer, dims.filter((size) => size === -1).length > 1, phrase`at most one dim may be -1`);
      const middle = dims.map((size, i) => {
        if (size !== 0) return size;
        refuse(
          layer,
          start + i >= bottom.length,
          phrase`the new shape has a dim of 0, but there is no axis of the bottom to copy it from`,
        );
        return bottom[start + i];
      });
      const top = [...bottom.slice(0, start), ...middle, ...bottom.slice(end)];
      const inferred = start + dims.indexOf(-1);
      if (dims.includes(-1)) {
        const given = count(top.toSpliced(inferred, 1));
        refuse(
          layer,
          count(bottom) % given > 0,
          phrase`the bottom's ${count(bottom)} values (${shapeText(bottom)}) are no multiple of the ${given} that the other dims make`,
        );
        top[inferred] = count(bottom) / given;
      }
      refuse(
        layer,
        differ(count(top), count(bottom)),
        phrase`the output ${shapeText(top)} must have as many values as the input ${shapeText(bottom)}`,
      );
      return { tops: [top], shares: 'all' };
    },
  },

  Tile: {
    bottoms: 1,
    tops: 1,
    plan(layer, [bottom]) {
      const axis = canonicalAxis(layer, bottom, layer.tile_param?.axis ?? 1);
      const tiles = layer.tile_param?.tiles ?? 0;
      refuse(layer, tiles <= 0, phrase`tiles must be given and positive`);
      const outer = count(bottom, 0, axis);
      const inner = count(bottom, axis);
      return {
        tops: [bottom.with(axis, bottom[axis] * tiles)],
        forward({ bottom: [{ data: x }], top: [{ data: y }] }) {
          for (let n = 0; n < outer; n++)
            for (let t = 0; t < tiles; t++) copy(x, n * inner, y, (n * tiles + t) * inner, inner);
        },
        backward({ bottom: [{ diff: dx }], top: [{ diff: dy }], propagate }) {
          if (!propagate[0]) return;
          dx.fill(0);
          for (let n = 0; n < outer; n++)
            for (let t = 0; t < tiles; t++) add(dy, (n * tiles + t) * inner, dx, n * inner, inner);
        },
      };
    },
  },

  Crop: {
    bottoms: 2,
    tops: 1,
    plan(layer, [bottom, reference]) {
      const { axis: axisParam = 2, offset: offsets = [] } = layer.crop_param ?? {};
      const axis = canonicalAxis(layer, bottom, axisParam);
      refuse(
        layer,
        offsets.length > 1 && axis + offsets.length !== bottom.length,
        phrase`the number of offsets must be one or that of the axes from \`axis\` on`,
      );
      refuse(
        layer,
        reference.length < bottom.length,
        phrase`the reference ${shapeText(reference)} lacks axes of ${shapeText(bottom)}`,
      );
      const offset = bottom.map((_, i) => (i < axis ? 0 : (offsets[offsets.length > 1 ? i - axis : 0] ?? 0)));
      const top = bottom.map((size, i) => (i < axis ? size : reference[i]));
      refuse(
        layer,
        top.some((size, i) => bottom[i] - offset[i] < size),
        phrase`a crop of ${shapeText(top)} at offset ${offset.join(',')} does not fit into ${shapeText(bottom)}`,
      );
      const row = top.at(-1) ?? 1;
      const rows = count(top) / row;
      /** Where in the bottom the row number `index` of the top begins. */
      const start = (index: number) => {
        let at = offset[offset.length - 1];
        for (let i = top.length - 2, rest = index; i >= 0; i--) {
          at += ((rest % top[i]) + offset[i]) * count(bottom, i + 1);
          rest = Math.floor(rest / top[i]);
        }
        return at;
      };
      return {
        tops: [top],
        forward({ bottom: [{ data: x }], top: [{ data: y }] }) {
          for (let r = 0; r < rows; r++) copy(x, start(r), y, r * row, row);
        },
        backward({ bottom: [b, size], top: [{ diff: dy }], propagate }) {
          if (propagate[0]) {
            b.diff.fill(0);
            for (let r = 0; r < rows; r++) copy(dy, r * row, b.diff, start(r), row);
          }
          if (propagate[1]) size.diff.fill(0);
        },
      };
    },
  },

  /** Of SSD: reorders the axes. */
  Permute: {
    bottoms: 1,
    tops: 1,
    plan(layer, [bottom]) {
      const given = layer.permute_param?.order ?? [];
      refuse(
        layer,
        new Set(given).size !== given.length,
        phrase`there are duplicate orders: ${given.join(', ')}`,
      );
      refuse(
        layer,
        given.some((axis) => axis >= bottom.length),
        phrase`order should be less than the input's number of axes, ${bottom.length}: ${given.join(', ')}`,
      );
      const order = [...given, ...bottom.map((_, axis) => axis).filter((axis) => !given.includes(axis))];
      const top = order.map((axis) => bottom[axis]);
      const strides = order.map((axis) => count(bottom, axis + 1));
      /** Calls `visit` with the position of every value in the top and in the bottom. */
      const each = (visit: (topIndex: number, bottomIndex: number) => void) => {
        const at = new Array<number>(top.length).fill(0);
        let from = 0;
        for (let index = 0, total = count(top); index < total; index++) {
          visit(index, from);
          for (let axis = top.length - 1; axis >= 0; axis--) {
            from += strides[axis];
            if (++at[axis] < top[axis]) break;
            from -= at[axis] * strides[axis];
            at[axis] = 0;
          }
        }
      };
      return {
        tops: [top],
        forward({ bottom: [{ data: x }], top: [{ data: y }] }) {
          each((to, from) => (y[to] = x[from]));
        },
        backward({ bottom: [{ diff: dx }], top: [{ diff: dy }], propagate }) {
          if (propagate[0]) each((to, from) => (dx[from] = dy[to]));
        },
      };
    },
  },

  /** Of ShuffleNet: channel g·n+i of `group` groups of n goes to i·group+g. */
  ShuffleChannel: {
    bottoms: 1,
    tops: 1,
    plan(layer, [bottom]) {
      const group = layer.shuffle_channel_param?.group ?? 1;
      const channels = legacySize(bottom, 1);
      refuse(layer, group <= 0, phrase`group must be greater than 0`);
      refuse(layer, channels % group > 0, phrase`group ${group} does not divide the ${channels} channels`);
      refuseInPlace(layer);
      const num = legacySize(bottom, 0);
      const plane = count(bottom, 2);
      const size = channels / group;
      const shuffle = (from: Float32Array, to: Float32Array, rows: number, columns: number) => {
        for (let n = 0; n < num; n++)
          for (let row = 0; row < rows; row++)
            for (let column = 0; column < columns; column++)
              copy(
                from,
                (n * channels + row * columns + column) * plane,
                to,
                (n * channels + column * rows + row) * plane,
                plane,
              );
      };
      return {
        tops: [bottom],
        forward: ({ bottom: [b], top: [t] }) => shuffle(b.data, t.data, group, size),
        backward({ bottom: [b], top: [t], propagate }) {
          if (propagate[0]) shuffle(t.diff, b.diff, size, group);
        },
      };
    },
  },

  BatchReindex: {
    bottoms: 2,
    tops: 1,
    noGradient: [1],
    plan(layer, [bottom, index]) {
      refuse(layer, index.length !== 1, phrase`the second bottom, the indices, must have one axis`);
      const size = count(bottom, 1);
      return {
        tops: [bottom.with(0, index[0])],
        forward({ bottom: [b, { data: indices }], top: [{ data: y }] }) {
          indices.forEach((from, n) => {
            refuse(
              layer,
              !(from >= 0 && from < bottom[0]),
              phrase`index ${from} is outside of the batch of ${bottom[0]}`,
            );
            copy(b.data, Math.trunc(from) * size, y, n * size, size);
          });
        },
        backward({ bottom: [b, { data: indices }], top: [{ diff: dy }], propagate }) {
          if (!propagate[0]) return;
          b.diff.fill(0);
          indices.forEach((to, n) => add(dy, n * size, b.diff, Math.trunc(to) * size, size));
        },
      };
    },
  },

  /**
   * Lets those items of a batch through whose selector (the last bottom) is not 0. How many that are is known
   * only at the forward pass: the tops keep the batch's full size in memory, and their shape tells the number.
   */
  Filter: {
    bottoms: [2],
    tops: [1],
    plan(layer, bottoms, { topCount }) {
      const selector = bottoms.at(-1) ?? [];
      refuse(
        layer,
        topCount !== bottoms.length - 1,
        phrase`there must be one top for each bottom but the selector: ${bottoms.length - 1}, not ${topCount}`,
      );
      refuse(
        layer,
        selector.slice(1).some((size) => differ(size, 1)),
        phrase`the axes of the selector must be 1 long, except the first`,
      );
      refuse(
        layer,
        bottoms.some((bottom) => differ(bottom[0], selector[0])),
        phrase`each bottom should have the same size of axis 0 as the selector`,
      );
      return {
        tops: bottoms.slice(0, -1),
        forward({ bottom, top }) {
          const chosen = bottom[topCount].data;
          top.forEach((t, i) => {
            const size = count(bottoms[i], 1);
            t.reshape(
              bottoms[i].with(
                0,
                chosen.reduce((sum, value) => sum + (value !== 0 ? 1 : 0), 0),
              ),
            );
            let kept = 0;
            chosen.forEach((value, n) => {
              if (value !== 0) copy(bottom[i].data, n * size, t.data, kept++ * size, size);
            });
          });
        },
        backward({ bottom, top, propagate }) {
          const chosen = bottom[topCount].data;
          top.forEach((t, i) => {
            if (!propagate[i]) return;
            const size = count(bottoms[i], 1);
            bottom[i].diff.fill(0);
            let kept = 0;
            chosen.forEach((value, n) => {
              if (value !== 0) copy(t.diff, kept++ * size, bottom[i].diff, n * size, size);
            });
          });
        },
      };
    },
    noGradient: [],
  },

  Silence: {
    bottoms: [1],
    tops: 0,
    plan: () => ({
      tops: [],
      backward({ bottom, propagate }) {
        bottom.forEach((b, i) => {
          if (propagate[i]) b.diff.fill(0);
        });
      },
    }),
  },

  Eltwise: {
    bottoms: [2],
    tops: 1,
    plan(layer, bottoms) {
      const { operation = 'SUM', coeff = [], stable_prod_grad: stable = true } = layer.eltwise_param ?? {};
      const [first] = bottoms;
      refuse(
        layer,
        coeff.length > 0 && coeff.length !== bottoms.length,
        phrase`Eltwise takes one coeff per bottom: ${bottoms.length}, not ${coeff.length}`,
      );
      refuse(
        layer,
        operation === 'PROD' && coeff.length > 0,
        phrase`Eltwise only takes coefficients for summation`,
      );
      for (const bottom of bottoms) {
        refuse(
          layer,
          shapesDiffer(bottom, first),
          phrase`all bottoms must have the same shape: ${bottoms.map(shapeText).join(', ')}`,
        );
      }
      const factor = bottoms.map((_, i) => coeff[i] ?? 1);
      const total = count(first);
      return {
        tops: [first],
        scratch: operation === 'MAX' ? { winner: total } : undefined,
        takesOver: operation === 'SUM' ? { affines: 0 } : undefined,
        forward({ engine, bottom, top: [{ data: y }], scratch, along }) {
          const inputs = bottom.map(({ data }) => data);
          if (operation === 'SUM') {
            engine.sum(inputs, factor, y, along.slope);
          } else if (operation === 'PROD') {
            const [a, b, ...more] = inputs;
            for (let i = 0; i < total; i++) y[i] = a[i] * b[i];
            for (const x of more) for (let i = 0; i < total; i++) y[i] *= x[i];
          } else {
            const { winner } = scratch;
            const [a, b, ...more] = inputs;
            for (let i = 0; i < total; i++) {
              const first = a[i] > b[i];
              winner[i] = first ? 0 : 1;
              y[i] = first ? a[i] : b[i];
            }
            more.forEach((x, at) => {
              for (let i = 0; i < total; i++) {
                if (x[i] <= y[i]) continue;
                winner[i] = at + 2;
                y[i] = x[i];
              }
            });
          }
        },
        backward({ engine, bottom, top: [{ data: y, diff: dy }], scratch, propagate }) {
          bottom.forEach(({ data: x, diff: dx }, part) => {
            if (!propagate[part]) return;
            if (operation === 'SUM') {
              engine.sum([dy], [factor[part]], dx);
            } else if (operation === 'MAX') {
              for (let i = 0; i < total; i++) dx[i] = scratch.winner[i] === part ? dy[i] : 0;
            } else if (stable) {
              dx.set(dy);
              bottom.forEach(({ data: other }, at) => {
                if (at !== part) for (let i = 0; i < total; i++) dx[i] *= other[i];
              });
            } else {
              for (let i = 0; i < total; i++) dx[i] = (y[i] / x[i]) * dy[i];
            }
          });
        },
      };
    },
  },

  Reduction: {
    bottoms: 1,
    tops: 1,
    plan(layer, [bottom]) {
      const { operation = 'SUM', axis: axisParam = 0, coeff = 1 } = layer.reduction_param ?? {};
      // Even a scalar may be reduced along axis 0.
      const axis = bottom.length === 0 && axisParam === 0 ? 0 : canonicalAxis(layer, bottom, axisParam);
      const outer = count(bottom, 0, axis);
      const inner = count(bottom, axis);
      const factor = operation === 'MEAN' ? coeff / inner : coeff;
      return {
        tops: [bottom.slice(0, axis)],
        forward({ bottom: [{ data: x }], top: [{ data: y }] }) {
          for (let n = 0; n < outer; n++) {
            let sum = 0;
            for (let i = n * inner, end = i + inner; i < end; i++) {
              sum += operation === 'ASUM' ? Math.abs(x[i]) : operation === 'SUMSQ' ? x[i] * x[i] : x[i];
            }
            y[n] = sum * factor;
          }
        },
        backward({ bottom: [{ data: x, diff: dx }], top: [{ diff: dy }], propagate }) {
          if (!propagate[0]) return;
          for (let n = 0; n < outer; n++) {
            const slope = dy[n] * factor;
            for (let i = n * inner, end = i + inner; i < end; i++) {
              dx[i] =
                operation === 'ASUM'
                  ? slope * Math.sign(x[i])
                  : operation === 'SUMSQ'
                    ? 2 * slope * x[i]
                    : slope;
            }
          }
        },
      };
    },
  },

  /** The indices (and values) of the `top_k` largest values, the larger index first among equals, as Caffe's sort. */
  ArgMax: {
    bottoms: 1,
    tops: 1,
    plan(layer, [bottom]) {
      const { out_max_val: withValue = false, top_k: k = 1, axis: axisParam } = layer.argmax_param ?? {};
      refuse(layer, k < 1, phrase`top_k must not be less than 1`);
      const axis = axisParam === undefined ? undefined : canonicalAxis(layer, bottom, axisParam);
      const size = axis === undefined ? count(bottom, 1) : bottom[axis];
      const inner = axis === undefined ? 1 : count(bottom, axis + 1);
      refuse(
        layer,
        k > size,
        phrase`top_k ${k} must be at most ${size}, the number of values to choose from`,
      );
      const top =
        axis === undefined
          ? [bottom[0], withValue ? 2 : 1, k, ...new Array<number>(Math.max(0, bottom.length - 3)).fill(1)]
          : bottom.with(axis, k);
      return {
        tops: [top],
        forward({ bottom: [{ data: x }], top: [{ data: y }] }) {
          const groups = count(bottom) / size;
          for (let g = 0; g < groups; g++) {
            const base = Math.floor(g / inner) * size * inner + (g % inner);
            const at = (i: number) => x[base + i * inner];
            const best = Array.from({ length: size }, (_, i) => i)
              .sort((a, b) => at(b) - at(a) || b - a)
              .slice(0, k);
            best.forEach((index, j) => {
              if (axis !== undefined) {
                y[Math.floor(g / inner) * k * inner + j * inner + (g % inner)] = withValue
                  ? at(index)
                  : index;
              } else {
                y[g * k * (withValue ? 2 : 1) + j] = index;
                if (withValue) y[(2 * g + 1) * k + j] = at(index);
              }
            });
          }
        },
      };
    },
  },
};
