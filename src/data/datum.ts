import protobuf from 'protobufjs/minimal.js';
import { CaffeError } from '../caffe/errors';
import { phrase } from '../phrase';

/** Caffe's message Datum: one image or vector with its label. */
export interface Datum {
  channels: number;
  height: number;
  width: number;
  /** C×H×W bytes, or the file of an encoded image. */
  data: Uint8Array;
  label: number;
  /** C×H×W values when there are no bytes. */
  floatData: Float32Array;
  encoded: boolean;
}

/**
 * Decodes a record of a database. Bytes are not copied.
 *
 * @param name the record as the user knows it, for errors
 */
export function decodeDatum(record: Uint8Array, name: string): Datum {
  const datum: Datum = {
    channels: 0,
    height: 0,
    width: 0,
    data: new Uint8Array(0),
    label: 0,
    floatData: new Float32Array(0),
    encoded: false,
  };
  const loose: number[] = [];
  try {
    const reader = protobuf.Reader.create(record);
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      switch (tag) {
        case (1 << 3) | 0:
          datum.channels = reader.int32();
          break;
        case (2 << 3) | 0:
          datum.height = reader.int32();
          break;
        case (3 << 3) | 0:
          datum.width = reader.int32();
          break;
        case (4 << 3) | 2: {
          const length = reader.uint32();
          datum.data = record.subarray(reader.pos, reader.pos + length);
          reader.skip(length);
          break;
        }
        case (5 << 3) | 0:
          datum.label = reader.int32();
          break;
        case (6 << 3) | 5:
          loose.push(reader.float());
          break;
        case (6 << 3) | 2: {
          const end = reader.uint32() + reader.pos;
          while (reader.pos < end) loose.push(reader.float());
          break;
        }
        case (7 << 3) | 0:
          datum.encoded = reader.bool();
          break;
        default:
          reader.skipType(tag & 7, 0, tag >>> 3);
      }
    }
  } catch (cause) {
    throw new CaffeError(phrase`The record is no Datum`, {
      file: name,
      cause,
      advice: phrase`Only databases written for Caffe (convert_imageset and the like) can feed a net`,
    });
  }
  if (loose.length > 0) datum.floatData = Float32Array.from(loose);
  if (!datum.encoded) {
    const { channels, height, width, data, floatData } = datum;
    const values = data.length > 0 ? data.length : floatData.length;
    if (channels < 1 || height < 1 || width < 1 || values < channels * height * width) {
      throw new CaffeError(
        phrase`The record has ${values} values for an image of ${channels}x${height}x${width}`,
        {
          file: name,
        },
      );
    }
  }
  return datum;
}
