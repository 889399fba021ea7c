import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { openFile } from '../caffe/byteSource';
import { readBinaryproto } from '../caffe/binaryproto';
import { CaffeError } from '../caffe/errors';
import type { LayerParameter, Phase, TransformationParameter } from '../caffe/messages';
import type { Random } from '../caffe/random';
import { phrase } from '../phrase';
import type { Feed } from './feed';
import { hdf5Feed } from './hdf5Feed';
import type { ColorMode } from './image';
import { itemFeed } from './itemFeed';
import type { ItemSource } from './items';
import { locate } from './locate';
import { openItems } from './openItems';
import { Transformer, type Mean } from './transform';

export interface FeedOptions {
  phase: Phase;
  /** Where relative paths may start, in this order: {@link searchFolders}. */
  folders: readonly string[];
  /** Decides shuffling, rand_skip, random crops and mirroring. */
  seed?: number;
  /** Data to read instead of the layer's own `source`: a path, or items that are at hand. */
  source?: string | ItemSource;
}

/**
 * Opens the data of a Data, ImageData or HDF5Data layer.
 *
 * @throws CaffeError when the layer is of another type, or its data cannot be found or read
 */
export async function openFeed(layer: LayerParameter, options: FeedOptions): Promise<Feed> {
  const { seed = 1, phase, folders } = options;
  if (layer.type === 'HDF5Data') {
    if (layer.transform_param !== undefined) {
      throw new CaffeError(phrase`HDF5Data does not transform data`, {
        layer: layer.name,
        line: layer.line,
        advice: phrase`Remove transform_param and store the values as the net expects them`,
      });
    }
    const path = await locateSource(layer, layer.hdf5_data_param?.source, options);
    return hdf5Feed(path, await hdf5Files(path, folders), {
      layer: layer.name,
      tops: layer.top,
      batchSize: layer.hdf5_data_param?.batch_size ?? 0,
      shuffle: layer.hdf5_data_param?.shuffle ?? false,
      seed,
    });
  }

  const source = await openItemSource(layer, options);
  try {
    const transform = layer.transform_param ?? {};
    const mean = await readMean(transform, folders);
    const param = layer.type === 'ImageData' ? layer.image_data_param : layer.data_param;
    return await itemFeed(source, {
      layer: layer.name,
      batchSize: param?.batch_size ?? (layer.type === 'ImageData' ? 1 : 0),
      labels: layer.top.length > 1,
      shuffle: layer.type === 'ImageData' && (layer.image_data_param?.shuffle ?? false),
      randSkip: param?.rand_skip ?? 0,
      seed,
      transformer: (random: Random) => new Transformer(transform, phase, mean, random, layer.name),
    });
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** The items of a Data or ImageData layer before they are transformed: to show them. */
export async function openItemSource(layer: LayerParameter, options: FeedOptions): Promise<ItemSource> {
  const { folders, source } = options;
  if (typeof source === 'object') return source;
  const image = layer.image_data_param;
  switch (layer.type) {
    case 'Data':
      return openItems(await locateSource(layer, layer.data_param?.source, options), {
        rootFolder: '',
        mode: forcedMode(layer.transform_param) ?? 'native',
        size: undefined,
        folders,
      });
    case 'ImageData': {
      const { new_height: height = 0, new_width: width = 0 } = image ?? {};
      if (height > 0 !== width > 0) {
        throw new CaffeError(phrase`new_height and new_width must be set together`, {
          layer: layer.name,
          line: layer.line,
        });
      }
      return openItems(await locateSource(layer, image?.source, options), {
        rootFolder: image?.root_folder ?? '',
        mode: image?.is_color === false ? 'gray' : 'color',
        size: height > 0 ? { height, width } : undefined,
        folders,
      });
    }
    default:
      throw new CaffeError(phrase`The layer type ${layer.type} reads no data that can be fed`, {
        layer: layer.name,
        line: layer.line,
        advice:
          layer.type === 'WindowData'
            ? phrase`Cut the windows out into images and list them in an ImageData layer`
            : phrase`Data, ImageData and HDF5Data layers can be fed`,
      });
  }
}

function forcedMode(transform: TransformationParameter | undefined): ColorMode | undefined {
  if (transform?.force_color === true) return 'color';
  return transform?.force_gray === true ? 'gray' : undefined;
}

async function locateSource(
  layer: LayerParameter,
  own: string | undefined,
  options: FeedOptions,
): Promise<string> {
  const source = options.source ?? own;
  if (typeof source !== 'string' || source === '') {
    throw new CaffeError(phrase`The layer names no source`, { layer: layer.name, line: layer.line });
  }
  return locate(source, options.folders, phrase`the data`);
}

/** The files of an HDF5Data layer: `path` is a list of them, or one itself. */
async function hdf5Files(path: string, folders: readonly string[]): Promise<string[]> {
  if (/\.(h5|hdf5)$/i.test(path)) return [path];
  const names = (await readFile(path, 'utf8')).split(/\s+/).filter((name) => name !== '');
  return Promise.all(names.map((name) => locate(name, [...folders, dirname(path)], phrase`the HDF5 file`)));
}

/** The mean image that a transform_param names. */
export async function readMean(
  transform: TransformationParameter,
  folders: readonly string[],
): Promise<Mean | undefined> {
  if (transform.mean_file === undefined) return undefined;
  const path = await locate(transform.mean_file, folders, phrase`the mean file`);
  const source = await openFile(path);
  try {
    const { shape, data } = await readBinaryproto(source);
    const [width = 1, height = 1, channels = 1] = shape.toReversed();
    return { channels, height, width, data };
  } finally {
    await source.close();
  }
}
