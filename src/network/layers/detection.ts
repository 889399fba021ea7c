import { phrase } from '../../phrase';
import type { LayerTypes } from '../layer';
import { count, differ, legacySize, refuse, shapeText } from '../shape';

/** A box by its corners, in parts of the image's width and height. */
type Box = [xmin: number, ymin: number, xmax: number, ymax: number];

const area = ([xmin, ymin, xmax, ymax]: Box) =>
  xmax < xmin || ymax < ymin ? 0 : (xmax - xmin) * (ymax - ymin);

/** Intersection over union. */
function overlap(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / (area(a) + area(b) - width * height);
}

/** The box that a location prediction makes of a prior box (`DecodeBBox` of SSD's bbox_util.cpp). */
function decode(prior: Box, [a, b, c, d]: Box, coding: 'CORNER' | 'CENTER_SIZE' | 'CORNER_SIZE'): Box {
  const [xmin, ymin, xmax, ymax] = prior;
  const width = xmax - xmin;
  const height = ymax - ymin;
  if (coding === 'CORNER') return [xmin + a, ymin + b, xmax + c, ymax + d];
  if (coding === 'CORNER_SIZE')
    return [xmin + a * width, ymin + b * height, xmax + c * width, ymax + d * height];
  const x = a * width + (xmin + xmax) / 2;
  const y = b * height + (ymin + ymax) / 2;
  const halfWidth = (Math.exp(c) * width) / 2;
  const halfHeight = (Math.exp(d) * height) / 2;
  return [x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight];
}

/** Where the priors and predictions of `number` boxes are in a blob that begins at `start`. */
function boxAt(values: Float32Array, start: number): Box {
  return [values[start], values[start + 1], values[start + 2], values[start + 3]];
}

/**
 * Greedy suppression of boxes that overlap a better one (`ApplyNMSFast`).
 * @returns indices of the boxes that stay, best first
 */
function suppress(
  boxes: (index: number) => Box,
  scores: Float32Array,
  { scoreThreshold, overlapThreshold, eta, topK }: Suppression,
): number[] {
  const candidates = [...scores.keys()]
    .filter((index) => scores[index] > scoreThreshold)
    .sort((a, b) => scores[b] - scores[a]);
  const kept: { index: number; box: Box }[] = [];
  let threshold = overlapThreshold;
  for (const index of topK > -1 ? candidates.slice(0, topK) : candidates) {
    const box = boxes(index);
    if (kept.some((other) => overlap(box, other.box) > threshold)) continue;
    kept.push({ index, box });
    if (eta < 1 && threshold > 0.5) threshold *= eta;
  }
  return kept.map(({ index }) => index);
}

interface Suppression {
  scoreThreshold: number;
  overlapThreshold: number;
  /** Factor on the threshold after each box that stays. */
  eta: number;
  /** Number of the best candidates to look at; -1 for all. */
  topK: number;
}

/** The layers of SSD (Liu et al., 2016). */
export const detectionLayers: LayerTypes = {
  /**
   * Default boxes around each place of a feature map (the first bottom) in an image (the second): the first
   * channel of the top holds the corners, the second the variances.
   */
  PriorBox: {
    bottoms: 2,
    tops: 1,
    noGradient: [0, 1],
    plan(layer, [map, image]) {
      const param = layer.prior_box_param ?? {};
      const {
        min_size: minSizes = [],
        max_size: maxSizes = [],
        flip = true,
        clip = false,
        offset = 0.5,
      } = param;
      refuse(layer, minSizes.length === 0, phrase`must provide min_size`);
      refuse(
        layer,
        minSizes.some((size) => size <= 0),
        phrase`min_size must be positive`,
      );
      refuse(
        layer,
        maxSizes.length > 0 && maxSizes.length !== minSizes.length,
        phrase`there must be as many max_size as min_size, or none`,
      );
      refuse(
        layer,
        maxSizes.some((size, i) => size <= minSizes[i]),
        phrase`max_size must be greater than min_size`,
      );
      const variance = param.variance ?? [];
      refuse(layer, variance.length > 1 && variance.length !== 4, phrase`must provide one variance or four`);
      const variances = variance.length === 4 ? variance : new Array<number>(4).fill(variance[0] ?? 0.1);
      const ratios = [1];
      for (const ratio of param.aspect_ratio ?? []) {
        if (ratios.some((known) => Math.abs(ratio - known) < 1e-6)) continue;
        ratios.push(ratio);
        if (flip) ratios.push(1 / ratio);
      }
      const [height, width] = [legacySize(map, 2), legacySize(map, 3)];
      const imageHeight = param.img_h ?? param.img_size ?? legacySize(image, 2);
      const imageWidth = param.img_w ?? param.img_size ?? legacySize(image, 3);
      const stepY = param.step_h ?? param.step ?? imageHeight / height;
      const stepX = param.step_w ?? param.step ?? imageWidth / width;
      // SSD keeps the sizes as integers.
      const sizes = minSizes.flatMap((min, i) => {
        const small = Math.trunc(min);
        const large = maxSizes.length > 0 ? [Math.sqrt(small * Math.trunc(maxSizes[i]))] : [];
        const base = large[0] ?? small;
        return [
          [small, small],
          ...large.map((size) => [size, size]),
          ...ratios.slice(1).map((ratio) => [base * Math.sqrt(ratio), base / Math.sqrt(ratio)]),
        ];
      });
      const values = height * width * sizes.length * 4;
      return {
        tops: [[1, 2, values]],
        forward({ top: [{ data }] }) {
          let at = 0;
          for (let y = 0; y < height; y++) {
            for (let x = 0; x < width; x++) {
              const [centreX, centreY] = [(x + offset) * stepX, (y + offset) * stepY];
              for (const [boxWidth, boxHeight] of sizes) {
                data[at] = (centreX - boxWidth / 2) / imageWidth;
                data[at + 1] = (centreY - boxHeight / 2) / imageHeight;
                data[at + 2] = (centreX + boxWidth / 2) / imageWidth;
                data[at + 3] = (centreY + boxHeight / 2) / imageHeight;
                data.set(variances, values + at);
                at += 4;
              }
            }
          }
          if (clip) for (let i = 0; i < values; i++) data[i] = Math.min(Math.max(data[i], 0), 1);
        },
      };
    },
  },

  /**
   * Decodes locations (bottom 0) and confidences (1) against the priors (2), suppresses overlaps in each class
   * and lists what remains: one row of [image, label, confidence, xmin, ymin, xmax, ymax] for each box. How
   * many rows there are is known at the forward pass only. Without any, there is one row of -1 for each image.
   */
  DetectionOutput: {
    bottoms: [3, 5],
    tops: 1,
    noGradient: [0, 1, 2, 3, 4],
    plan(layer, [locations, confidences, priors]) {
      const param = layer.detection_output_param ?? {};
      const {
        num_classes: classes = 0,
        share_location: shared = true,
        background_label_id: background = 0,
        nms_param: nms = {},
        code_type: coding = 'CORNER',
        variance_encoded_in_target: encoded = false,
        keep_top_k: keep = -1,
        confidence_threshold: scoreThreshold = -Infinity,
      } = param;
      refuse(layer, classes <= 0, phrase`must specify num_classes`);
      const num = locations[0];
      const boxes = legacySize(priors, 2) / 4;
      const locationClasses = shared ? 1 : classes;
      refuse(
        layer,
        differ(boxes * locationClasses * 4, count(locations, 1)),
        phrase`the number of priors (${boxes}) must match the number of location predictions ${shapeText(locations)}`,
      );
      refuse(
        layer,
        differ(boxes * classes, count(confidences, 1)),
        phrase`the number of priors (${boxes}) must match the number of confidence predictions ${shapeText(confidences)}`,
      );
      const suppression: Suppression = {
        scoreThreshold,
        overlapThreshold: nms.nms_threshold ?? 0.3,
        eta: nms.eta ?? 1,
        topK: nms.top_k ?? -1,
      };
      return {
        tops: [[1, 1, 1, 7]],
        forward({ bottom: [{ data: location }, { data: confidence }, { data: prior }], top: [t] }) {
          const rows: number[][] = [];
          for (let image = 0; image < num; image++) {
            const found: { label: number; score: number; box: Box }[] = [];
            for (let label = 0; label < classes; label++) {
              if (label === background) continue;
              const scores = Float32Array.from(
                { length: boxes },
                (_, i) => confidence[(image * boxes + i) * classes + label],
              );
              const boxOf = (i: number) => {
                const at = ((image * boxes + i) * locationClasses + (shared ? 0 : label)) * 4;
                const shift = boxAt(location, at);
                const variance = boxAt(prior, (boxes + i) * 4);
                return decode(
                  boxAt(prior, i * 4),
                  encoded ? shift : (shift.map((value, j) => value * variance[j]) as Box),
                  coding,
                );
              };
              for (const index of suppress(boxOf, scores, suppression))
                found.push({ label, score: scores[index], box: boxOf(index) });
            }
            const best =
              keep > -1 && found.length > keep
                ? found
                    .sort((a, b) => b.score - a.score)
                    .slice(0, keep)
                    .sort((a, b) => a.label - b.label)
                : found;
            for (const { label, score, box } of best) rows.push([image, label, score, ...box]);
          }
          if (rows.length === 0)
            for (let image = 0; image < num; image++) rows.push([image, -1, -1, -1, -1, -1, -1]);
          t.reshape([1, 1, rows.length, 7]);
          rows.forEach((row, i) => t.data.set(row, i * 7));
        },
      };
    },
  },

  /** ParseNet's L2 normalisation (Liu et al., 2015) with a learned scale. */
  Normalize: {
    bottoms: 1,
    tops: 1,
    plan(layer, [bottom]) {
      const {
        across_spatial: across = true,
        channel_shared: shared = true,
        scale_filler: filler = { type: 'constant', value: 1 },
        eps = 1e-10,
      } = layer.norm_param ?? {};
      refuse(layer, bottom.length < 2, phrase`the bottom must have at least 2 axes`);
      const num = legacySize(bottom, 0);
      const channels = legacySize(bottom, 1);
      const plane = count(bottom, 2);
      const norms = across ? num : num * plane;
      return {
        tops: [bottom],
        params: [{ shape: shared ? [] : [channels], filler }],
        scratch: { norm: norms, normal: count(bottom) },
        forward({ bottom: [{ data: x }], top: [{ data: y }], params: [scale], scratch: { norm, normal } }) {
          norm.fill(eps);
          for (let i = 0; i < x.length; i++) norm[normOf(i)] += x[i] * x[i];
          for (let i = 0; i < norms; i++) norm[i] = Math.sqrt(norm[i]);
          for (let i = 0; i < x.length; i++) {
            normal[i] = x[i] / norm[normOf(i)];
            y[i] = normal[i] * scale.data[channelOf(i)];
          }
        },
        backward({ bottom: [b], top: [{ diff: dy }], params: [scale], scratch, propagate, learn }) {
          const { norm, normal } = scratch;
          if (learn[0]) for (let i = 0; i < dy.length; i++) scale.diff[channelOf(i)] += dy[i] * normal[i];
          if (!propagate[0]) return;
          const dot = new Float64Array(norms);
          for (let i = 0; i < dy.length; i++) dot[normOf(i)] += dy[i] * scale.data[channelOf(i)] * normal[i];
          for (let i = 0; i < dy.length; i++) {
            const n = normOf(i);
            b.diff[i] = (dy[i] * scale.data[channelOf(i)] - normal[i] * dot[n]) / norm[n];
          }
        },
      };
      function channelOf(i: number) {
        return shared ? 0 : Math.floor(i / plane) % channels;
      }
      function normOf(i: number) {
        const item = Math.floor(i / (channels * plane));
        return across ? item : item * plane + (i % plane);
      }
    },
  },
};
