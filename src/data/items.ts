import type { Pixels } from './transform';

/** One thing to classify: an image (or vector) with its label. */
export interface Item {
  /** Position in the source, from 0 on. */
  index: number;
  /** The item as the user knows it: a record's or file's name. */
  name: string;
  pixels: Pixels;
  label: number;
}

/** A list of items that can be gone through again and again. */
export interface ItemSource {
  /** The source as the user knows it: a path. */
  readonly name: string;
  /** How many items there are, where that is known without a pass over them. */
  readonly count?: number;
  /** The planes of colours are red, green, blue; elsewhere they are blue, green, red, as Caffe reads pictures. */
  readonly isRgb?: boolean;
  /** The items from the `first` on, in the order of the source. */
  items(first?: number): AsyncGenerator<Item, void>;
  /** The item at a position; only sources that can be shuffled have it. */
  item?(index: number): Promise<Item>;
  close(): Promise<void>;
}

/** The items at some positions (ascending), in one pass at the most. */
export async function pick(source: ItemSource, indices: readonly number[]): Promise<Item[]> {
  if (source.item !== undefined) return Promise.all(indices.map((index) => source.item!(index)));
  const wanted = new Set(indices);
  const found: Item[] = [];
  if (wanted.size === 0) return found;
  for await (const item of source.items(Math.min(...indices))) {
    if (wanted.has(item.index)) found.push(item);
    if (found.length === wanted.size) break;
  }
  return found;
}
