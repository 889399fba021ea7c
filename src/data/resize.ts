import type { Image } from './image';

/** Bits of the weights in OpenCV's fixed-point interpolation (INTER_RESIZE_COEF_BITS). */
const ONE = 1 << 11;

/**
 * Resizes as `cv::resize` does by default: bilinear in OpenCV's fixed point, between pixel centres, without smoothing
 * when it shrinks; and, as there, the mean of 2×2 pixels when both sides are exactly halved.
 */
export function resize(image: Image, height: number, width: number): Image {
  if (image.height === height && image.width === width) return image;
  const resized = {
    channels: image.channels,
    height,
    width,
    data: new Uint8Array(image.channels * height * width),
  };
  const plane = image.height * image.width;
  for (let c = 0; c < image.channels; c++) {
    const source = image.data.subarray(c * plane, (c + 1) * plane);
    const target = resized.data.subarray(c * height * width, (c + 1) * height * width);
    if (image.height === 2 * height && image.width === 2 * width) halve(source, image.width, target, width);
    else interpolate(source, image, target, resized);
  }
  return resized;
}

function halve(source: Uint8Array, sourceWidth: number, target: Uint8Array, width: number): void {
  for (let i = 0; i < target.length; i++) {
    const at = Math.floor(i / width) * 2 * sourceWidth + (i % width) * 2;
    const below = at + sourceWidth;
    target[i] = (source[at] + source[at + 1] + source[below] + source[below + 1] + 2) >> 2;
  }
}

interface Size {
  height: number;
  width: number;
}

function interpolate(source: Uint8Array, from: Size, target: Uint8Array, to: Size): void {
  const columns = weights(from.width, to.width);
  for (let x = 0; x < to.width; x++) {
    // Beyond the outermost centres a row takes the outermost pixel whole; a column of rows keeps its weights.
    if (columns.first[x] < 0 || columns.first[x] >= from.width - 1) {
      columns.first[x] = columns.first[x] < 0 ? 0 : from.width - 1;
      columns.near[x] = ONE;
      columns.far[x] = 0;
    }
  }
  const rows = weights(from.height, to.height);

  // The two source rows that the current target row lies between, interpolated along x; each row is made once.
  const lines = new Map<number, Int32Array>();
  const line = (row: number) => {
    const y = Math.min(Math.max(row, 0), from.height - 1);
    let values = lines.get(y);
    if (values === undefined) {
      if (lines.size >= 2) lines.delete(Math.min(...lines.keys()));
      values = new Int32Array(to.width);
      for (let x = 0; x < to.width; x++) {
        const at = y * from.width + columns.first[x];
        const next = columns.far[x] === 0 ? 0 : source[at + 1];
        values[x] = source[at] * columns.near[x] + next * columns.far[x];
      }
      lines.set(y, values);
    }
    return values;
  };
  for (let y = 0; y < to.height; y++) {
    const upper = line(rows.first[y]);
    const lower = line(rows.first[y] + 1);
    const near = rows.near[y];
    const far = rows.far[y];
    for (let x = 0; x < to.width; x++) {
      const sum = ((near * (upper[x] >> 4)) >> 16) + ((far * (lower[x] >> 4)) >> 16);
      target[y * to.width + x] = (sum + 2) >> 2;
    }
  }
}

/** For each position of the target the source position at or before it, and the weights of that and the next one. */
function weights(from: number, to: number) {
  const first = new Int32Array(to);
  const near = new Int32Array(to);
  const far = new Int32Array(to);
  const scale = 1 / (to / from);
  for (let i = 0; i < to; i++) {
    const position = Math.fround((i + 0.5) * scale - 0.5);
    first[i] = Math.floor(position);
    const fraction = Math.fround(position - first[i]);
    near[i] = roundToEven(Math.fround(1 - fraction) * ONE);
    far[i] = roundToEven(fraction * ONE);
  }
  return { first, near, far };
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}
