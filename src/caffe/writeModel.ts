import { atomicWrite, type AtomicWriteOptions } from './atomicWrite';
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
 * Writes a `.caffemodel` (V2) as `Net::ToProto` and `WriteProtoToBinaryFile` of Caffe do, blob by blob.
 * @throws CaffeError as `atomicWrite` does; RangeError when the values of a blob do not fill its shape
 */
export async function writeModel(
  target: string,
  { name, layers }: ModelToWrite,
  { onProgress, ...options }: WriteModelOptions = {},
): Promise<void> {
  const countOf = ({ shape }: BlobToWrite) => shape.reduce((a, b) => a * b, 1);
  const total = layers.reduce(
    (sum, layer) => (layer.blobs ?? []).reduce((n, blob) => n + countOf(blob), sum),
    0,
  );
  let done = 0;
  await atomicWrite(
    target,
    async (file) => {
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
          const values = typeof blob.data === 'function' ? await blob.data() : blob.data;
          checkCount(blob.shape, values);
          await writeFloats(file, values);
          await file.write(frame.tail);
          done += values.length;
          onProgress?.(total === 0 ? 1 : done / total);
        }
        await file.write(tail);
      }
    },
    options,
  );
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
