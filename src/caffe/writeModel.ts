import { phrase } from '../phrase';
import { atomicWrite, type AtomicWriteOptions, type OutputFile } from './atomicWrite';
import { CaffeError } from './errors';
import { floats, type Hdf5Leaf, writeHdf5 } from './hdf5Writer';
import { isHdf5Name } from './modelName';
import {
  blobFrame,
  checkCount,
  concatBytes,
  fieldHeader,
  textField,
  varintField,
  writeFloats,
} from './wireWriter';

/** A net with its weights, to be written from scratch. */
export interface ModelToWrite {
  name: string;
  layers: readonly LayerToWrite[];
}

export interface LayerToWrite {
  name: string;
  type: string;
  bottoms?: readonly string[];
  tops?: readonly string[];
  phase?: 'TRAIN' | 'TEST';
  /**
   * An encoded LayerParameter with what else belongs to the layer (`convolution_param`, `param`, ...); it holds
   * none of the fields above and no blobs.
   */
  parameters?: Uint8Array;
  blobs?: readonly BlobToWrite[];
}

export interface BlobToWrite {
  shape: readonly number[];
  /** The values, or what makes them at the moment they are written, so that one blob at a time is in memory. */
  data: Float32Array | (() => Float32Array | Promise<Float32Array>);
}

export interface WriteModelOptions extends AtomicWriteOptions {
  /** Called with the share of the values that is written, 0..1. */
  onProgress?: (fraction: number) => void;
}

const netField = { name: 1, layer: 100 } as const;
const layerField = { name: 1, type: 2, bottom: 3, top: 4, blobs: 7, phase: 10 } as const;

/**
 * Writes a model blob by blob, as Caffe does: with a name that ends in `.h5` as HDF5 (`Net::ToHDF5`: the blobs alone),
 * otherwise as protobuf (V2, `Net::ToProto` and `WriteProtoToBinaryFile`).
 * @throws CaffeError as `atomicWrite` does, or where HDF5 cannot keep the layers apart; RangeError when the values of a
 * blob do not fill its shape
 */
export async function writeModel(
  target: string,
  model: ModelToWrite,
  { onProgress, ...options }: WriteModelOptions = {},
): Promise<void> {
  const countOf = ({ shape }: BlobToWrite) => shape.reduce((a, b) => a * b, 1);
  const total = model.layers.reduce(
    (sum, layer) => (layer.blobs ?? []).reduce((n, blob) => n + countOf(blob), sum),
    0,
  );
  let done = 0;
  const take = async ({ shape, data }: BlobToWrite) => {
    const values = typeof data === 'function' ? await data() : data;
    checkCount(shape, values);
    done += values.length;
    onProgress?.(total === 0 ? 1 : done / total);
    return values;
  };
  await atomicWrite(
    target,
    (file) =>
      isHdf5Name(target)
        ? writeHdf5(file, new Map([['data', layerTree(target, model, take)]]))
        : writeProtobuf(file, model, take),
    options,
  );
}

type Take = (blob: BlobToWrite) => Promise<Float32Array>;

async function writeProtobuf(file: OutputFile, { name, layers }: ModelToWrite, take: Take): Promise<void> {
  await file.write(textField(netField.name, name));
  for (const layer of layers) {
    const frames = (layer.blobs ?? []).map((blob) => ({ blob, frame: blobFrame(blob.shape) }));
    const head = layerHead(layer);
    const tail = layerTail(layer);
    const length = frames.reduce(
      (sum, { frame }) => sum + fieldHeader(layerField.blobs, frame.length).length + frame.length,
      head.length + tail.length,
    );
    await file.write(concatBytes(fieldHeader(netField.layer, length), head));
    for (const { blob, frame } of frames) {
      await file.write(concatBytes(fieldHeader(layerField.blobs, frame.length), frame.head));
      await writeFloats(file, await take(blob));
      await file.write(frame.tail);
    }
    await file.write(tail);
  }
}

type LayerTree = Map<string, LayerTree | Hdf5Leaf>;

/** A group for each layer, with a dataset for each of its blobs; a layer named "a/b" is the group b in the group a. */
function layerTree(file: string, { layers }: ModelToWrite, take: Take): LayerTree {
  const tree: LayerTree = new Map();
  for (const { name, blobs = [] } of layers) {
    const refuse = (clash: boolean) => {
      if (!clash) return;
      throw new CaffeError(phrase`HDF5 cannot keep two layers of this name apart`, {
        ...{ file, layer: name },
        advice: phrase`Write the model under a name that ends in .caffemodel`,
      });
    };
    let group = tree;
    for (const part of name.split('/')) {
      const member = group.get(part) ?? (new Map() as LayerTree);
      refuse(!(member instanceof Map));
      group.set(part, member);
      group = member as LayerTree;
    }
    for (const [i, blob] of blobs.entries()) {
      refuse(group.has(`${i}`));
      group.set(
        `${i}`,
        floats(blob.shape, () => take(blob)),
      );
    }
  }
  return tree;
}

/** The fields before the blobs, in the order of their numbers. */
function layerHead({ name, type, bottoms = [], tops = [] }: LayerToWrite): Uint8Array {
  return concatBytes(
    textField(layerField.name, name),
    textField(layerField.type, type),
    ...bottoms.map((bottom) => textField(layerField.bottom, bottom)),
    ...tops.map((top) => textField(layerField.top, top)),
  );
}

/** The fields after the blobs. */
function layerTail({ phase, parameters }: LayerToWrite): Uint8Array {
  return concatBytes(
    phase ? varintField(layerField.phase, phase === 'TEST' ? 1 : 0) : new Uint8Array(0),
    parameters ?? new Uint8Array(0),
  );
}
