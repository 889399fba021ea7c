import type { LayerParameter } from '../../caffe/messages';
import { phrase } from '../../phrase';
import type { Blob, LayerType, LayerTypes } from '../layer';
import { canonicalAxis, count, differ, fail, legacySize, refuse, shapeText, type Shape } from '../shape';

/** Caffe's kLOG_THRESHOLD: the least probability whose logarithm the older losses take. */
const LOG_THRESHOLD = 1e-20;
/** C's FLT_MIN, the least probability for SoftmaxWithLoss. */
const FLT_MIN = 1.1754943508222875e-38;

const normalizations = ['FULL', 'VALID', 'BATCH_SIZE', 'NONE'] as const;
type Normalization = (typeof normalizations)[number];

/** How a loss over many places becomes one number: `GetNormalizer` of Caffe's loss layers. */
function normalizer(mode: Normalization, outer: number, inner: number, valid: number): number {
  const size = { FULL: outer * inner, VALID: valid, BATCH_SIZE: outer, NONE: 1 }[mode];
  return Math.max(1, size);
}

/** The mode that `loss_param` asks for; `normalize` is the older way to say it. */
function normalization(layer: LayerParameter, byDefault: Normalization): Normalization {
  const { normalization: mode, normalize } = layer.loss_param ?? {};
  if (mode !== undefined) {
    return (
      normalizations.find((known) => known === mode) ??
      fail(
        layer,
        phrase`the normalization ${mode} is not known`,
        phrase`Caffe knows ${normalizations.join(', ')}`,
      )
    );
  }
  return normalize === undefined ? byDefault : normalize ? 'VALID' : 'BATCH_SIZE';
}

/** The axis of the classes, and how many places there are before and after it; each needs a label. */
function classAxis(layer: LayerParameter, scores: Shape, labels: Shape, axisParam: number) {
  const axis = canonicalAxis(layer, scores, axisParam);
  const outer = count(scores, 0, axis);
  const inner = count(scores, axis + 1);
  refuse(
    layer,
    differ(outer * inner, count(labels)),
    phrase`the number of labels (${count(labels)}) must match the number of predictions (${outer * inner}): scores ${shapeText(scores)} with the classes along axis ${axis}, labels ${shapeText(labels)}`,
  );
  return { classes: scores[axis], outer, inner };
}

/** Refuses a label that is no class. */
function checkLabel(layer: LayerParameter, label: number, classes: number): void {
  refuse(
    layer,
    !(label >= 0 && label < classes),
    phrase`label ${label} is outside of 0..${classes - 1}`,
    phrase`Check the labels of the data, or set ignore_label`,
  );
}

/** A loss of a prediction and a label, with one number as its top. */
function loss(plan: LayerType['plan'], more: Partial<LayerType> = {}): LayerType {
  return {
    bottoms: 2,
    tops: 1,
    loss: true,
    noGradient: [1],
    plan(layer, bottoms, context) {
      const [first, second] = bottoms;
      refuse(
        layer,
        differ(first[0] ?? 1, second[0] ?? 1),
        phrase`the data and label should have the same first dimension: ${shapeText(first)} and ${shapeText(second)}`,
      );
      return plan(layer, bottoms, context);
    },
    ...more,
  };
}

/**
 * Softmax along an axis of `outer` × `classes` × `inner`, then what a label says of it: the walk that
 * SoftmaxWithLoss and InfogainLoss share.
 */
function eachLabel(
  layer: LayerParameter,
  labels: Float32Array,
  { classes, outer, inner }: { classes: number; outer: number; inner: number },
  visit: (label: number | undefined, base: number) => void,
): number {
  const ignore = layer.loss_param?.ignore_label;
  let valid = 0;
  for (let n = 0; n < outer; n++) {
    for (let i = 0; i < inner; i++) {
      const label = Math.trunc(labels[n * inner + i]);
      const base = n * classes * inner + i;
      if (label === ignore) {
        visit(undefined, base);
        continue;
      }
      checkLabel(layer, label, classes);
      valid++;
      visit(label, base);
    }
  }
  return valid;
}

export const lossLayers: LayerTypes = {
  Softmax: {
    bottoms: 1,
    tops: 1,
    plan(layer, [bottom]) {
      const axis = canonicalAxis(layer, bottom, layer.softmax_param?.axis ?? 1);
      const outer = count(bottom, 0, axis);
      const inner = count(bottom, axis + 1);
      const classes = bottom[axis];
      return {
        tops: [bottom],
        forward: ({ engine, bottom: [b], top: [t] }) => engine.softmax(outer, classes, inner, b.data, t.data),
        backward({ bottom: [{ diff: dx }], top: [{ data: y, diff: dy }], propagate }) {
          if (!propagate[0]) return;
          for (let n = 0; n < outer; n++) {
            for (let i = 0; i < inner; i++) {
              const base = n * classes * inner + i;
              let dot = 0;
              for (let c = 0; c < classes; c++) dot += dy[base + c * inner] * y[base + c * inner];
              for (let c = 0; c < classes; c++)
                dx[base + c * inner] = (dy[base + c * inner] - dot) * y[base + c * inner];
            }
          }
        },
      };
    },
  },

  SoftmaxWithLoss: loss(
    (layer, [scores, labels], { topCount }) => {
      const place = classAxis(layer, scores, labels, layer.softmax_param?.axis ?? 1);
      const { classes, outer, inner } = place;
      const mode = normalization(layer, 'VALID');
      return {
        tops: topCount > 1 ? [[], scores] : [[]],
        scratch: { probability: count(scores), divisor: 1 },
        forward({ engine, bottom, top, scratch: { probability, divisor } }) {
          engine.softmax(outer, classes, inner, bottom[0].data, probability);
          let sum = 0;
          const valid = eachLabel(layer, bottom[1].data, place, (label, base) => {
            if (label !== undefined) sum -= Math.log(Math.max(probability[base + label * inner], FLT_MIN));
          });
          divisor[0] = normalizer(mode, outer, inner, valid);
          top[0].data[0] = sum / divisor[0];
          if (topCount > 1) top[1].data.set(probability);
        },
        backward({ bottom: [b, { data: label }], top: [t], scratch, propagate }) {
          if (!propagate[0]) return;
          const { probability, divisor } = scratch;
          const scale = t.diff[0] / divisor[0];
          for (let i = 0; i < probability.length; i++) b.diff[i] = probability[i] * scale;
          eachLabel(layer, label, place, (label, base) => {
            if (label !== undefined) b.diff[base + label * inner] -= scale;
            else for (let c = 0; c < classes; c++) b.diff[base + c * inner] = 0;
          });
        },
      };
    },
    { tops: [1, 2] },
  ),

  /** Cost H[label][class] for each confusion; the matrix is the third bottom. */
  InfogainLoss: loss(
    (layer, [scores, labels, matrix], { topCount, infogain }) => {
      const place = classAxis(layer, scores, labels, layer.infogain_loss_param?.axis ?? 1);
      const { classes, outer, inner } = place;
      refuse(
        layer,
        matrix === undefined && layer.infogain_loss_param?.source === undefined,
        phrase`the infogain matrix must be given: a source or a third bottom`,
      );
      refuse(
        layer,
        matrix !== undefined && differ(count(matrix), classes * classes),
        phrase`the infogain matrix must be ${classes}×${classes}, not ${shapeText(matrix ?? [])}`,
      );
      const mode = normalization(layer, 'VALID');
      const fromFile = matrix === undefined ? infogain?.(layer) : undefined;
      refuse(
        layer,
        fromFile !== undefined && fromFile.length !== classes * classes,
        phrase`the infogain matrix must have ${classes}×${classes} values, not ${fromFile?.length ?? 0}`,
      );
      const matrixOf = (bottom: Blob | undefined) =>
        bottom?.data ??
        fromFile ??
        fail(layer, phrase`the infogain matrix has not been read from its source`);
      return {
        tops: topCount > 1 ? [[], scores] : [[]],
        scratch: { probability: count(scores), divisor: 1 },
        forward({ engine, bottom, top, scratch: { probability, divisor } }) {
          const h = matrixOf(bottom[2]);
          engine.softmax(outer, classes, inner, bottom[0].data, probability);
          let sum = 0;
          const valid = eachLabel(layer, bottom[1].data, place, (label, base) => {
            if (label === undefined) return;
            for (let c = 0; c < classes; c++)
              sum -=
                h[label * classes + c] * Math.log(Math.max(probability[base + c * inner], LOG_THRESHOLD));
          });
          divisor[0] = normalizer(mode, outer, inner, valid);
          top[0].data[0] = sum / divisor[0];
          if (topCount > 1) top[1].data.set(probability);
        },
        backward({ bottom, top: [t], scratch: { probability, divisor }, propagate }) {
          if (!propagate[0]) return;
          const h = matrixOf(bottom[2]);
          const dx = bottom[0].diff;
          const scale = t.diff[0] / divisor[0];
          eachLabel(layer, bottom[1].data, place, (label, base) => {
            let row = 0;
            if (label !== undefined) for (let c = 0; c < classes; c++) row += h[label * classes + c];
            for (let c = 0; c < classes; c++) {
              const at = base + c * inner;
              dx[at] = label === undefined ? 0 : scale * (probability[at] * row - h[label * classes + c]);
            }
          });
        },
      };
    },
    { bottoms: [2, 3], tops: [1, 2], noGradient: [1, 2] },
  ),

  MultinomialLogisticLoss: loss((layer, [scores, labels]) => {
    refuse(
      layer,
      differ(count(labels, 1), 1),
      phrase`there must be one label per item, not ${shapeText(labels)}`,
    );
    const num = scores[0];
    const classes = count(scores, 1);
    return {
      tops: [[]],
      forward({ bottom: [{ data: p }, { data: label }], top: [t] }) {
        let sum = 0;
        for (let n = 0; n < num; n++) {
          checkLabel(layer, label[n], classes);
          sum -= Math.log(Math.max(p[n * classes + Math.trunc(label[n])], LOG_THRESHOLD));
        }
        t.data[0] = sum / num;
      },
      backward({ bottom: [b, { data: label }], top: [t], propagate }) {
        if (!propagate[0]) return;
        b.diff.fill(0);
        for (let n = 0; n < num; n++) {
          const at = n * classes + Math.trunc(label[n]);
          b.diff[at] = -t.diff[0] / num / Math.max(b.data[at], LOG_THRESHOLD);
        }
      },
    };
  }),

  EuclideanLoss: loss(
    (layer, [a, b]) => {
      refuse(
        layer,
        differ(count(a, 1), count(b, 1)),
        phrase`the inputs must have the same dimension: ${shapeText(a)} and ${shapeText(b)}`,
      );
      const num = a[0] ?? 1;
      return {
        tops: [[]],
        forward({ bottom: [{ data: x }, { data: y }], top: [t] }) {
          let sum = 0;
          for (let i = 0; i < x.length; i++) sum += (x[i] - y[i]) ** 2;
          t.data[0] = sum / num / 2;
        },
        backward({ bottom, top: [t], propagate }) {
          const [{ data: x }, { data: y }] = bottom;
          bottom.forEach(({ diff }, part) => {
            if (!propagate[part]) return;
            const scale = ((part === 0 ? 1 : -1) * t.diff[0]) / num;
            for (let i = 0; i < diff.length; i++) diff[i] = scale * (x[i] - y[i]);
          });
        },
      };
    },
    { noGradient: [] },
  ),

  HingeLoss: loss((layer, [scores]) => {
    const squared = layer.hinge_loss_param?.norm === 'L2';
    const num = scores[0];
    const classes = count(scores, 1);
    return {
      tops: [[]],
      scratch: { margin: count(scores) },
      forward({ bottom: [{ data: x }, { data: label }], top: [t], scratch: { margin } }) {
        let sum = 0;
        for (let n = 0; n < num; n++) {
          checkLabel(layer, label[n], classes);
          const right = n * classes + Math.trunc(label[n]);
          for (let i = n * classes, end = i + classes; i < end; i++) {
            margin[i] = Math.max(0, 1 + (i === right ? -x[i] : x[i]));
            sum += squared ? margin[i] * margin[i] : margin[i];
          }
        }
        t.data[0] = sum / num;
      },
      backward({ bottom: [b, { data: label }], top: [t], scratch: { margin }, propagate }) {
        if (!propagate[0]) return;
        for (let n = 0; n < num; n++) {
          const right = n * classes + Math.trunc(label[n]);
          for (let i = n * classes, end = i + classes; i < end; i++) {
            const slope = squared ? 2 * margin[i] : Math.sign(margin[i]);
            b.diff[i] = ((i === right ? -slope : slope) * t.diff[0]) / num;
          }
        }
      },
    };
  }),

  SigmoidCrossEntropyLoss: loss((layer, [scores, targets]) => {
    refuse(
      layer,
      differ(count(scores), count(targets)),
      phrase`the inputs must have the same count: ${shapeText(scores)} and ${shapeText(targets)}`,
    );
    const ignore = layer.loss_param?.ignore_label;
    const mode = normalization(layer, 'BATCH_SIZE');
    const ignored = (target: number) => ignore !== undefined && Math.trunc(target) === ignore;
    return {
      tops: [[]],
      scratch: { divisor: 1 },
      forward({ bottom: [{ data: x }, { data: target }], top: [t], scratch: { divisor } }) {
        let sum = 0;
        let valid = 0;
        for (let i = 0; i < x.length; i++) {
          if (ignored(target[i])) continue;
          sum -= x[i] * (target[i] - (x[i] >= 0 ? 1 : 0)) - Math.log1p(Math.exp(-Math.abs(x[i])));
          valid++;
        }
        divisor[0] = normalizer(mode, scores[0], count(scores, 1), valid);
        t.data[0] = sum / divisor[0];
      },
      backward({ bottom: [b, { data: target }], top: [t], scratch: { divisor }, propagate }) {
        if (!propagate[0]) return;
        const scale = t.diff[0] / divisor[0];
        for (let i = 0; i < target.length; i++)
          b.diff[i] = ignored(target[i]) ? 0 : scale * (1 / (1 + Math.exp(-b.data[i])) - target[i]);
      },
    };
  }),

  /** Hadsell et al. 2006: similar pairs (third bottom 1) pull together, others push apart up to a margin. */
  ContrastiveLoss: loss(
    (layer, [a, b, similar]) => {
      const { margin = 1, legacy_version: legacy = false } = layer.contrastive_loss_param ?? {};
      refuse(
        layer,
        differ(legacySize(a, 1), legacySize(b, 1)) || differ(count(a, 2), 1) || differ(count(b, 2), 1),
        phrase`both inputs must be N×C with the same C: ${shapeText(a)} and ${shapeText(b)}`,
      );
      refuse(layer, differ(count(similar, 1), 1), phrase`the third bottom must have one value per pair`);
      const num = a[0];
      const size = legacySize(a, 1);
      return {
        tops: [[]],
        scratch: { squaredDistance: num },
        forward({ bottom: [{ data: x }, { data: y }, { data: same }], top: [t], scratch }) {
          const { squaredDistance } = scratch;
          let sum = 0;
          for (let n = 0; n < num; n++) {
            let squared = 0;
            for (let i = n * size, end = i + size; i < end; i++) squared += (x[i] - y[i]) ** 2;
            squaredDistance[n] = squared;
            if (Math.trunc(same[n])) sum += squared;
            else if (legacy) sum += Math.max(margin - squared, 0);
            else sum += Math.max(margin - Math.sqrt(squared), 0) ** 2;
          }
          t.data[0] = sum / num / 2;
        },
        backward({ bottom, top: [t], scratch: { squaredDistance }, propagate }) {
          const [{ data: x }, { data: y }, { data: same }] = bottom;
          for (const part of [0, 1]) {
            if (!propagate[part]) continue;
            const { diff } = bottom[part];
            const alpha = ((part === 0 ? 1 : -1) * t.diff[0]) / num;
            for (let n = 0; n < num; n++) {
              let beta = alpha;
              if (!Math.trunc(same[n])) {
                const distance = Math.sqrt(squaredDistance[n]);
                const short = legacy ? margin - squaredDistance[n] : margin - distance;
                // The 1e-4 keeps equal inputs from a division by zero, as Caffe does.
                beta = short > 0 ? (legacy ? -alpha : (-alpha * short) / (distance + 1e-4)) : 0;
              }
              for (let i = n * size, end = i + size; i < end; i++) diff[i] = beta * (x[i] - y[i]);
            }
          }
        },
      };
    },
    { bottoms: 3, noGradient: [2] },
  ),

  /**
   * Share of items whose label is among the `top_k` best scores. Equal scores count against the label, as in
   * Caffe; the second top is the accuracy of each class.
   */
  Accuracy: {
    bottoms: 2,
    tops: [1, 2],
    noGradient: [0, 1],
    plan(layer, [scores, labels], { topCount }) {
      const { top_k: k = 1, axis = 1, ignore_label: ignore } = layer.accuracy_param ?? {};
      const { classes, outer, inner } = classAxis(layer, scores, labels, axis);
      refuse(layer, k > classes, phrase`top_k ${k} must be at most the number of classes, ${classes}`);
      return {
        tops: topCount > 1 ? [[], [classes]] : [[]],
        scratch: topCount > 1 ? { seen: classes } : undefined,
        forward({ bottom: [{ data: x }, { data: label }], top, scratch }) {
          let right = 0;
          let total = 0;
          if (topCount > 1) {
            top[1].data.fill(0);
            scratch.seen.fill(0);
          }
          for (let n = 0; n < outer; n++) {
            for (let i = 0; i < inner; i++) {
              const wanted = Math.trunc(label[n * inner + i]);
              if (wanted === ignore) continue;
              checkLabel(layer, wanted, classes);
              const base = n * classes * inner + i;
              const score = x[base + wanted * inner];
              let better = -1;
              for (let c = 0; c < classes && better < k; c++) if (x[base + c * inner] >= score) better++;
              total++;
              if (topCount > 1) scratch.seen[wanted]++;
              if (better >= k) continue;
              right++;
              if (topCount > 1) top[1].data[wanted]++;
            }
          }
          top[0].data[0] = total === 0 ? 0 : right / total;
          if (topCount > 1) {
            const perClass = top[1].data;
            for (let c = 0; c < classes; c++)
              perClass[c] = scratch.seen[c] === 0 ? 0 : perClass[c] / scratch.seen[c];
          }
        },
      };
    },
  },
};
