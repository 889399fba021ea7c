import type { Phrase } from '../phrase';
import type { ByteSource } from './byteSource';
import { indexCaffemodel } from './caffemodel';
import { CaffeError } from './errors';
import { isHdf5, type Hdf5Dataset } from './hdf5';
import { indexHdf5Model } from './hdf5Model';

/**
 * How a model file is written: `V2` is today's protobuf format (`layer`), `V1` the one of 2014 (`layers` with
 * enumerated types), `V0` the one of 2013 (a layer nested in a connection), `HDF5` the `.caffemodel.h5`.
 */
export type ModelKind = 'V0' | 'V1' | 'V2' | 'HDF5';

/** How one value of a blob is stored, always little-endian. */
export type Encoding = 'float' | 'double' | 'half' | 'int32' | 'uint32';

/** `count` values, the first at byte `offset` of the file, each `stride` bytes after the one before it. */
export interface Segment {
  offset: number;
  count: number;
  stride: number;
}

/** One parameter blob of a layer: where its values are and what they mean. */
export interface ModelBlob {
  /** Position among the layer's blobs; 0 is the weight, 1 the bias of most layers. */
  index: number;
  shape: number[];
  /** Number of values that are stored. It is the product of `shape` unless `problem` says otherwise. */
  count: number;
  encoding: Encoding;
  segments: Segment[];
  /** Set instead of `segments` where HDF5 stores the values in (compressed) chunks; such are read, not patched. */
  chunked?: Hdf5Dataset;
  /** Number of gradients stored beside the values; they are left alone. */
  diffCount: number;
  /** Where the blob begins in the file, in bytes. */
  byteOffset: number;
  /** Why the values and the shape cannot be trusted, when they cannot. */
  problem?: Phrase;
}

/** One layer as the model file tells it. */
export interface ModelLayer {
  /** Position in the file, counted from 0. */
  index: number;
  name: string;
  /** Today's name of the layer type, such as `Convolution`; empty where the file does not tell. */
  type: string;
  /** The type as the file writes it: `CONVOLUTION` in V1, `conv` in V0; otherwise the same as `type`. */
  originalType: string;
  phase?: 'TRAIN' | 'TEST';
  bottoms: string[];
  tops: string[];
  blobs: ModelBlob[];
  /** Where the layer begins in the file, and its length, in bytes. */
  byteOffset: number;
  byteLength: number;
}

/** Something in the file that is not as Caffe writes it. */
export interface Damage {
  message: Phrase;
  layer?: string;
  byteOffset: number;
}

/** The index of a model file: everything but the values. */
export interface Model {
  kind: ModelKind;
  /** Name of the net; empty where the file has none. */
  name: string;
  /** Size of the file in bytes. */
  size: number;
  layers: ModelLayer[];
  /** Empty for a sound file; otherwise `layers` is what could be read. */
  damage: Damage[];
}

/**
 * Indexes a Caffe model: reads names, types and shapes and notes where the values are, without reading them.
 * A damaged file gives what can be read of it, with `damage` saying what is wrong.
 * @throws CaffeError when `source` is no Caffe model at all
 */
export async function openModel(source: ByteSource): Promise<Model> {
  return (await isHdf5(source)) ? indexHdf5Model(source) : indexCaffemodel(source);
}

/** @throws CaffeError with the first damage of the model and the `advice`, where it has any */
export function requireSound({ damage }: Model, file: string, advice: Phrase): void {
  if (damage.length === 0) return;
  const [{ message, layer, byteOffset }] = damage;
  throw new CaffeError(message, { file, layer, byteOffset, advice });
}
