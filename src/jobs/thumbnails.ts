import { pick } from '../data/items';
import { resize } from '../data/resize';
import type { Pixels } from '../data/transform';
import { openTestItems, type TestSource } from './testNet';

/** A small picture of an item, for the page: RGBA, row by row. */
export interface Thumbnail {
  item: number;
  label: number;
  width: number;
  height: number;
  rgba: Uint8ClampedArray;
}

/** The longer side of a thumbnail, in pixels, at the most. */
const SIDE = 64;

/** Pictures of some of the items (in ascending order) that a net is tested on, before they are transformed. */
export async function thumbnails(source: TestSource, items: readonly number[]): Promise<Thumbnail[]> {
  const data = await openTestItems(source);
  try {
    const found = await pick(data, items);
    return found.map(({ index, label, pixels }) => ({ item: index, label, ...paint(pixels, data.isRgb) }));
  } finally {
    await data.close();
  }
}

/** The first three channels as colours, or the first one as gray. */
function paint(pixels: Pixels, isRgb = false): Pick<Thumbnail, 'width' | 'height' | 'rgba'> {
  const whole = { ...pixels, data: toBytes(pixels.data) };
  const shrink = Math.min(1, SIDE / Math.max(pixels.width, pixels.height));
  const size = (side: number) => Math.max(1, Math.round(side * shrink));
  const { channels, width, height, data } = resize(whole, size(pixels.height), size(pixels.width));
  const area = width * height;
  const rgba = new Uint8ClampedArray(4 * area);
  const planes = channels >= 3 ? [0, area, 2 * area] : [0, 0, 0];
  const [red, green, blue] = isRgb ? planes : planes.reverse();
  for (let i = 0; i < area; i++) {
    rgba.set([data[red + i], data[green + i], data[blue + i], 255], 4 * i);
  }
  return { width, height, rgba };
}

/** Values that are no bytes are spread from their least to their greatest. */
function toBytes(data: Pixels['data']): Uint8Array {
  if (data instanceof Uint8Array) return data;
  const least = data.reduce((a, b) => Math.min(a, b), Infinity);
  const range = data.reduce((a, b) => Math.max(a, b), -Infinity) - least;
  return Uint8Array.from(data, (value) => (range > 0 ? ((value - least) / range) * 255 : 0));
}
