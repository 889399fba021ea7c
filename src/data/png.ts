import { CaffeError } from '../caffe/errors';
import { inflateSync } from 'node:zlib';
import { phrase } from '../phrase';
import type { ColorMode, Image } from './image';

/** Samples of a pixel for each colour type (PNG specification, 11.2.2): gray, RGB, palette, gray + alpha, RGBA. */
const SAMPLES: Record<number, number | undefined> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** Adam7: for each pass the first column and row, and the distance between columns and rows. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

/**
 * Decodes a PNG file. Of 16-bit samples the upper byte is taken; `color` and `gray` drop the alpha channel, `gray`
 * weighs colours as libpng does.
 *
 * @throws CaffeError when the file is damaged or has more than `maxPixels`
 */
export function decodePng(bytes: Uint8Array, mode: ColorMode, maxPixels: number): Image {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let palette = new Uint8Array(0);
  let transparency = new Uint8Array(0);
  const compressed: Uint8Array[] = [];
  let header: DataView | undefined;
  for (let at = 8; at + 8 <= bytes.length;) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR' && content.length >= 13)
      header = new DataView(content.buffer, content.byteOffset, 13);
    else if (type === 'PLTE') palette = content.slice();
    else if (type === 'tRNS') transparency = content.slice();
    else if (type === 'IDAT') compressed.push(content);
    else if (type === 'IEND') break;
    at += 12 + length;
  }
  if (header === undefined) throw new CaffeError(phrase`it has no header`);

  const width = header.getUint32(0);
  const height = header.getUint32(4);
  const depth = header.getUint8(8);
  const colorType = header.getUint8(9);
  const interlaced = header.getUint8(12) === 1;
  const samples = SAMPLES[colorType];
  if (samples === undefined || ![1, 2, 4, 8, 16].includes(depth)) {
    throw new CaffeError(phrase`colour type ${colorType} with ${depth} bits does not exist`);
  }
  if (width === 0 || height === 0 || width * height > maxPixels) {
    throw new CaffeError(phrase`an image of ${width} x ${height} pixels is not taken`);
  }

  const rowBytes = (pixels: number) => Math.ceil((pixels * samples * depth) / 8);
  const passes = (interlaced ? PASSES : [[0, 0, 1, 1]])
    .map(([x, y, dx, dy]) => ({
      x,
      y,
      dx,
      dy,
      w: Math.ceil((width - x) / dx),
      h: Math.ceil((height - y) / dy),
    }))
    .filter(({ w, h }) => w > 0 && h > 0);
  const size = passes.reduce((sum, { w, h }) => sum + h * (1 + rowBytes(w)), 0);
  let filtered: Uint8Array;
  try {
    filtered = inflateSync(Buffer.concat(compressed), { maxOutputLength: size });
  } catch (cause) {
    throw new CaffeError(phrase`its compressed data are damaged`, { cause });
  }
  if (filtered.length < size) throw new CaffeError(phrase`its data end too early`);

  const pixels = new Uint8Array(width * height * samples);
  const scale = colorType === 3 || depth >= 8 ? 1 : 255 / ((1 << depth) - 1);
  let start = 0;
  for (const { x, y, dx, dy, w, h } of passes) {
    const length = rowBytes(w);
    const rows = unfilter(filtered, start, length, h, Math.max(1, (samples * depth) / 8));
    start += h * (1 + length);
    for (let row = 0; row < h; row++) {
      for (let i = 0; i < w * samples; i++) {
        const bit = i * depth;
        const byte = rows[row * length + (bit >> 3)];
        const value = depth >= 8 ? byte : ((byte >> (8 - depth - (bit & 7))) & ((1 << depth) - 1)) * scale;
        const column = x + Math.floor(i / samples) * dx;
        pixels[((y + row * dy) * width + column) * samples + (i % samples)] = value;
      }
    }
  }
  return arrange(pixels, { width, height, colorType, samples, palette, transparency }, mode);
}

/** Takes the filters off the rows (PNG specification, 9.2). `distance`: bytes from a pixel to the one left of it. */
function unfilter(
  bytes: Uint8Array,
  start: number,
  length: number,
  height: number,
  distance: number,
): Uint8Array {
  const rows = new Uint8Array(length * height);
  for (let row = 0; row < height; row++) {
    const source = start + row * (length + 1) + 1;
    const target = row * length;
    const filter = bytes[source - 1];
    if (filter > 4) throw new CaffeError(phrase`row ${row} has the unknown filter ${filter}`);
    for (let i = 0; i < length; i++) {
      const left = i >= distance ? rows[target + i - distance] : 0;
      const above = row > 0 ? rows[target + i - length] : 0;
      const corner = row > 0 && i >= distance ? rows[target + i - length - distance] : 0;
      let predicted = 0;
      if (filter === 1) predicted = left;
      else if (filter === 2) predicted = above;
      else if (filter === 3) predicted = (left + above) >> 1;
      else if (filter === 4) predicted = paeth(left, above, corner);
      rows[target + i] = bytes[source + i] + predicted;
    }
  }
  return rows;
}

function paeth(left: number, above: number, corner: number): number {
  const estimate = left + above - corner;
  const toLeft = Math.abs(estimate - left);
  const toAbove = Math.abs(estimate - above);
  const toCorner = Math.abs(estimate - corner);
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

interface Pixels {
  width: number;
  height: number;
  colorType: number;
  samples: number;
  palette: Uint8Array;
  transparency: Uint8Array;
}

/** Brings the samples into channels. */
function arrange(pixels: Uint8Array, png: Pixels, mode: ColorMode): Image {
  const { width, height, colorType, samples, palette, transparency } = png;
  const indexed = colorType === 3;
  const hasAlpha = colorType >= 4 || (indexed && transparency.length > 0);
  const colored = indexed || colorType === 2 || colorType === 6;
  const channels = mode === 'color' ? 3 : mode === 'gray' ? 1 : hasAlpha ? 4 : colored ? 3 : 1;

  const area = width * height;
  const data = new Uint8Array(channels * area);
  for (let i = 0; i < area; i++) {
    let red = pixels[i * samples];
    let green = red;
    let blue = red;
    let alpha = 255;
    if (indexed) {
      alpha = transparency[red] ?? 255;
      [red, green, blue] = [palette[red * 3], palette[red * 3 + 1], palette[red * 3 + 2]];
    } else if (colored) {
      green = pixels[i * samples + 1];
      blue = pixels[i * samples + 2];
    }
    if (channels === 1) {
      data[i] = grayOf(red, green, blue);
      continue;
    }
    data[i] = blue;
    data[area + i] = green;
    data[2 * area + i] = red;
    if (channels === 4) data[3 * area + i] = colorType >= 4 ? pixels[i * samples + samples - 1] : alpha;
  }
  return { channels, height, width, data };
}

/** libpng's png_set_rgb_to_gray with the weights 0.299 and 0.587 that OpenCV passes, in 15-bit fixed point. */
const grayOf = (red: number, green: number, blue: number) => (9797 * red + 19234 * green + 3737 * blue) >> 15;
