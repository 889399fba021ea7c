import { CaffeError, reasonOf } from '../caffe/errors';
import { phrase, type Phrase } from '../phrase';
import { decodeJpeg } from './jpeg';
import { decodePng } from './png';

/** An image as Caffe holds it: channel by channel (C×H×W), colours in the order blue, green, red (and alpha). */
export interface Image {
  channels: number;
  height: number;
  width: number;
  data: Uint8Array;
}

/**
 * How to decode: `color` gives 3 channels and `gray` 1, whatever the file holds; `native` as many as the file holds
 * (OpenCV's IMREAD_COLOR, IMREAD_GRAYSCALE and IMREAD_UNCHANGED).
 */
export type ColorMode = 'color' | 'gray' | 'native';

/** An image larger than this is refused before memory is taken for it. */
const MAX_PIXELS = 2 ** 26;

/**
 * Decodes a JPEG or PNG file to the bytes that OpenCV gives (libjpeg-turbo and libpng). Orientation tags are not
 * followed, as in the OpenCV 2.4 that Caffe was made with.
 *
 * @param name the file or record, for errors
 */
export function decodeImage(bytes: Uint8Array, mode: ColorMode, name: string): Image {
  const fail = (what: Phrase, cause?: unknown) =>
    new CaffeError(what, {
      file: name,
      cause,
      advice: phrase`JPEG and PNG images of 8 or 16 bits can be read`,
    });
  const decode = bytes[0] === 0xff && bytes[1] === 0xd8 ? decodeJpeg : isPng(bytes) ? decodePng : undefined;
  if (decode === undefined) throw fail(phrase`The image is neither a JPEG nor a PNG file`);
  try {
    return decode(bytes, mode, MAX_PIXELS);
  } catch (cause) {
    if (!(cause instanceof CaffeError || cause instanceof RangeError)) throw cause;
    throw fail(phrase`The image cannot be decoded: ${reasonOf(cause)}`, cause);
  }
}

const isPng = (bytes: Uint8Array) =>
  [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a].every((byte, i) => bytes[i] === byte);
