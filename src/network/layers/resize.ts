import { phrase } from '../../phrase';
import type { LayerTypes } from '../layer';
import { count, differ, legacySize, refuse, shapesDiffer, shapeText } from '../shape';

/** The two neighbours of a place on an axis resized with its ends kept in place, and the weight of the second. */
function neighbours(position: number, ratio: number, size: number) {
  const exact = ratio * position;
  const first = Math.floor(exact);
  return { first, second: first < size - 1 ? first + 1 : first, weight: exact - first };
}

export const resizeLayers: LayerTypes = {
  /** DeepLab's bilinear resizing, which keeps the corners in place. The size may come from a second bottom. */
  Interp: {
    bottoms: [1, 2],
    tops: 1,
    noGradient: [1],
    plan(layer, [bottom, reference]) {
      const param = layer.interp_param ?? {};
      const { pad_beg = 0, pad_end = 0, zoom_factor: zoom, shrink_factor: shrink } = param;
      refuse(layer, bottom.length !== 4, phrase`the input must have 4 axes, not ${shapeText(bottom)}`);
      refuse(layer, pad_beg > 0 || pad_end > 0, phrase`only non-positive padding, which crops, is supported`);
      refuse(
        layer,
        (zoom ?? 1) < 1 || (shrink ?? 1) < 1,
        phrase`zoom_factor and shrink_factor must be positive`,
      );
      const inner = [2, 3].map((axis) => bottom[axis] + pad_beg + pad_end);
      const resized = (size: number) => {
        const shrunk = shrink === undefined ? size : Math.floor((size - 1) / shrink) + 1;
        return zoom === undefined ? shrunk : shrunk + (shrunk - 1) * (zoom - 1);
      };
      const [height, width] =
        reference !== undefined
          ? [legacySize(reference, 2), legacySize(reference, 3)]
          : zoom !== undefined || shrink !== undefined
            ? inner.map(resized)
            : [param.height ?? 0, param.width ?? 0];
      refuse(
        layer,
        height <= 0 || width <= 0,
        phrase`the size must be given by height and width, zoom_factor, shrink_factor or a second bottom`,
      );
      const planes = count(bottom, 0, 2);
      const sourceSize = bottom[2] * bottom[3];
      const ratio = (from: number, to: number) => (to > 1 ? (from - 1) / (to - 1) : 0);
      const [ratioY, ratioX] = [ratio(inner[0], height), ratio(inner[1], width)];
      /** Calls `visit` for each place of a plane of the top with the four places it is mixed from. */
      const each = (visit: (to: number, from: number[], weights: number[]) => void) => {
        for (let y = 0; y < height; y++) {
          const v = neighbours(y, ratioY, inner[0]);
          for (let x = 0; x < width; x++) {
            const h = neighbours(x, ratioX, inner[1]);
            const at = (row: number, column: number) => (row - pad_beg) * bottom[3] + column - pad_beg;
            visit(
              y * width + x,
              [at(v.first, h.first), at(v.first, h.second), at(v.second, h.first), at(v.second, h.second)],
              [
                (1 - v.weight) * (1 - h.weight),
                (1 - v.weight) * h.weight,
                v.weight * (1 - h.weight),
                v.weight * h.weight,
              ],
            );
          }
        }
      };
      return {
        tops: [[bottom[0], bottom[1], height, width]],
        forward({ bottom: [{ data: x }], top: [{ data: y }] }) {
          each((to, from, weights) => {
            for (let p = 0; p < planes; p++) {
              let sum = 0;
              for (let i = 0; i < 4; i++) sum += weights[i] * x[p * sourceSize + from[i]];
              y[p * height * width + to] = sum;
            }
          });
        },
        backward({ bottom: [{ diff: dx }], top: [{ diff: dy }], propagate }) {
          if (!propagate[0]) return;
          dx.fill(0);
          each((to, from, weights) => {
            for (let p = 0; p < planes; p++)
              for (let i = 0; i < 4; i++)
                dx[p * sourceSize + from[i]] += weights[i] * dy[p * height * width + to];
          });
        },
      };
    },
  },

  /**
   * With one bottom: repeats each value `scale` times along both axes. With two (SegNet, Badrinarayanan et al.,
   * 2015): puts each value where the mask of a max pooling (the second bottom) says it came from.
   */
  Upsample: {
    bottoms: [1, 2],
    tops: 1,
    noGradient: [1],
    plan(layer, [bottom, mask]) {
      const param = layer.upsample_param ?? {};
      refuse(layer, bottom.length !== 4, phrase`the input must have 4 axes, not ${shapeText(bottom)}`);
      const scaleY = param.scale_h ?? param.scale ?? 2;
      const scaleX = param.scale_w ?? param.scale ?? 2;
      const height = param.upsample_h ?? bottom[2] * scaleY - Number(param.pad_out_h ?? false);
      const width = param.upsample_w ?? bottom[3] * scaleX - Number(param.pad_out_w ?? false);
      const top = [bottom[0], bottom[1], height, width];
      const plane = bottom[2] * bottom[3];
      const size = height * width;
      if (mask === undefined) {
        refuse(
          layer,
          differ(height, bottom[2] * scaleY) || differ(width, bottom[3] * scaleX),
          phrase`upsample_h, upsample_w and pad_out_* need a mask as the second bottom`,
        );
        const source = (i: number) => {
          const y = Math.floor((i % size) / width / scaleY);
          return Math.floor(i / size) * plane + y * bottom[3] + Math.floor((i % width) / scaleX);
        };
        return {
          tops: [top],
          forward({ bottom: [{ data: x }], top: [{ data: y }] }) {
            for (let i = 0; i < y.length; i++) y[i] = x[source(i)];
          },
          backward({ bottom: [{ diff: dx }], top: [{ diff: dy }], propagate }) {
            if (!propagate[0]) return;
            dx.fill(0);
            for (let i = 0; i < dy.length; i++) dx[source(i)] += dy[i];
          },
        };
      }
      refuse(
        layer,
        shapesDiffer(bottom, mask),
        phrase`the mask ${shapeText(mask)} must have the shape of the input ${shapeText(bottom)}`,
      );
      return {
        tops: [top],
        forward({ bottom: [{ data: x }, { data: place }], top: [{ data: y }] }) {
          y.fill(0);
          for (let i = 0; i < x.length; i++) {
            refuse(
              layer,
              !(place[i] >= 0 && place[i] < size),
              phrase`the mask points to place ${place[i]} of a plane of ${size}`,
            );
            y[Math.floor(i / plane) * size + place[i]] = x[i];
          }
        },
        backward({ bottom: [{ diff: dx }, { data: place }], top: [{ diff: dy }], propagate }) {
          if (!propagate[0]) return;
          for (let i = 0; i < dx.length; i++) dx[i] = dy[Math.floor(i / plane) * size + place[i]];
        },
      };
    },
  },
};
