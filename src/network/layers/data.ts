import type { BlobShape, LayerParameter } from '../../caffe/messages';
import { phrase } from '../../phrase';
import { fill } from '../filler';
import type { LayerType, LayerTypes, PlanContext } from '../layer';
import { refuse, type Shape } from '../shape';

/** A size that the prototxt does not tell. */
const UNKNOWN = NaN;

/** A layer whose tops come from a file or a database; what the prototxt tells of their shapes is `guess`. */
function source(
  tops: LayerType['tops'],
  guess: (layer: LayerParameter, context: PlanContext) => Shape[],
): LayerType {
  return {
    bottoms: 0,
    tops,
    source: true,
    plan(layer, _bottoms, context) {
      const { mean_file, mean_value = [] } = layer.transform_param ?? {};
      refuse(
        layer,
        mean_file !== undefined && mean_value.length > 0,
        phrase`mean_file and mean_value cannot both be given`,
      );
      const known = context.sourceShapes?.(layer);
      refuse(
        layer,
        known !== undefined && known.length !== context.topCount,
        phrase`the source gives ${known?.length ?? 0} blobs, but the layer has ${context.topCount} tops`,
      );
      return { tops: known ?? guess(layer, context) };
    },
  };
}

/** N×C×H×W of an image source, and N labels when there is a second top. */
function images(
  layer: LayerParameter,
  { topCount }: PlanContext,
  batch: number | undefined,
  channels: number,
  [height, width]: [number, number],
): Shape[] {
  refuse(layer, batch !== undefined && batch <= 0, phrase`batch_size must be positive`);
  const num = batch ?? UNKNOWN;
  const crop = layer.transform_param?.crop_size ?? 0;
  const data = crop > 0 ? [num, channels, crop, crop] : [num, channels, height, width];
  return [data, [num]].slice(0, topCount);
}

/** Number of channels after force_color and force_gray of transform_param. */
function channels(layer: LayerParameter): number {
  const { force_color, force_gray } = layer.transform_param ?? {};
  return force_color ? 3 : force_gray ? 1 : UNKNOWN;
}

/** One shape for each top: given once for all or once for each. */
function repeated<T>(layer: LayerParameter, values: readonly T[], topCount: number, what: string): T[] {
  refuse(
    layer,
    values.length !== 1 && values.length !== topCount,
    phrase`must specify '${what}' once, or once per top (${topCount}); specified ${values.length} times`,
  );
  return Array.from({ length: topCount }, (_, i) => values[values.length === 1 ? 0 : i]);
}

const dimensions = (shape: BlobShape): Shape => shape.dim ?? [];

export const dataLayers: LayerTypes = {
  Input: {
    bottoms: 0,
    tops: [1],
    source: true,
    plan(layer, _bottoms, { topCount, sourceShapes }) {
      const given = sourceShapes?.(layer);
      if (given !== undefined) return { tops: given };
      const shapes = layer.input_param?.shape ?? [];
      // Whoever uses the net is to tell the shape then.
      if (shapes.length === 0) return { tops: [] };
      return { tops: repeated(layer, shapes, topCount, 'shape').map(dimensions) };
    },
  },

  DummyData: {
    bottoms: 0,
    tops: [1],
    plan(layer, _bottoms, { topCount }) {
      const {
        shape = [],
        data_filler = [],
        num = [],
        channels = [],
        height = [],
        width = [],
      } = layer.dummy_data_param ?? {};
      refuse(
        layer,
        data_filler.length > 1 && data_filler.length !== topCount,
        phrase`the number of data fillers must be 0, 1 or the number of tops (${topCount}), not ${data_filler.length}`,
      );
      const legacy = num.length + channels.length + height.length + width.length > 0;
      refuse(layer, legacy && shape.length > 0, phrase`both shape and legacy fields were specified`);
      const tops = legacy
        ? [
            repeated(layer, num, topCount, 'num'),
            repeated(layer, channels, topCount, 'channels'),
            repeated(layer, height, topCount, 'height'),
            repeated(layer, width, topCount, 'width'),
          ].reduce<number[][]>(
            (shapes, sizes) => shapes.map((dims, i) => [...dims, sizes[i]]),
            new Array<number[]>(topCount).fill([]),
          )
        : repeated(layer, shape, topCount, 'shape').map(dimensions);
      return {
        tops,
        forward({ top, random }) {
          top.forEach((t, i) => {
            fill(data_filler[data_filler.length > 1 ? i : 0] ?? {}, tops[i], t.data, random);
          });
        },
      };
    },
  },

  /** Batches that the caller hands over. */
  MemoryData: source(2, (layer) => {
    const { batch_size = 0, channels = 0, height = 0, width = 0 } = layer.memory_data_param ?? {};
    refuse(
      layer,
      batch_size * channels * height * width <= 0,
      phrase`batch_size, channels, height and width must be specified and positive in memory_data_param`,
    );
    return [[batch_size, channels, height, width], [batch_size]];
  }),

  Data: source([1, 2], (layer, context) =>
    images(layer, context, layer.data_param?.batch_size, channels(layer), [UNKNOWN, UNKNOWN]),
  ),

  ImageData: source(2, (layer, context) => {
    const { batch_size = 1, new_height = 0, new_width = 0, is_color = true } = layer.image_data_param ?? {};
    return images(layer, context, batch_size, is_color ? 3 : 1, [
      new_height || UNKNOWN,
      new_width || UNKNOWN,
    ]);
  }),

  WindowData: source(2, (layer, context) => {
    const { batch_size, crop_size = 0 } = layer.window_data_param ?? {};
    return images(layer, context, batch_size, 3, [crop_size || UNKNOWN, crop_size || UNKNOWN]);
  }),

  HDF5Data: source([1], (layer, { topCount }) => {
    refuse(layer, layer.transform_param !== undefined, phrase`HDF5Data does not transform data`);
    // Even the number of axes is known to the file alone; images and vectors of labels are what is usual.
    const batch = layer.hdf5_data_param?.batch_size ?? UNKNOWN;
    return Array.from({ length: topCount }, (_, i) =>
      i === 0 ? [batch, UNKNOWN, UNKNOWN, UNKNOWN] : [batch, UNKNOWN],
    );
  }),

  /** A learnable blob as a top. */
  Parameter: {
    bottoms: 0,
    tops: 1,
    plan(layer) {
      const shape = dimensions(layer.parameter_param?.shape ?? {});
      return {
        tops: [shape],
        params: [{ shape, filler: { type: 'constant' } }],
        forward: ({ top: [t], params: [p] }) => t.data.set(p.data),
        backward({ top: [t], params: [p], learn }) {
          if (learn[0]) for (let i = 0; i < p.diff.length; i++) p.diff[i] += t.diff[i];
        },
      };
    },
  },

  /** Writing blobs to a file is the business of a training run of Caffe; here the layer takes them and does nothing. */
  HDF5Output: { bottoms: 2, tops: 0, plan: () => ({ tops: [] }) },

  /** Known to be a layer, so that editing such a net is no error; what it does is known to its author alone. */
  Python: {
    bottoms: [0],
    tops: [0],
    foreign: phrase`layers written in Python run in Caffe alone`,
    plan: () => ({ tops: [] }),
  },
};
