import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CaffeError, reasonOf } from '../caffe/errors';
import { phrase } from '../phrase';
import { decodeImage, type ColorMode } from './image';
import type { Item, ItemSource } from './items';
import { locate } from './locate';
import { resize } from './resize';

export interface ImageListOptions {
  /** Put before each file name as it is (`root_folder`). */
  rootFolder: string;
  mode: ColorMode;
  /** Size that the images are brought to; undefined leaves each as it is. */
  size: { height: number; width: number } | undefined;
  /** Where relative paths may start. */
  folders: readonly string[];
}

/** The images that a text file lists, one "file label" a line, as Caffe's ImageData layer reads it. */
export async function imageListItems(list: string, options: ImageListOptions): Promise<ItemSource> {
  const lines = (await readFile(list, 'utf8')).split(/\r?\n/);
  const entries: { file: string; label: number; line: number }[] = [];
  for (const [i, text] of lines.entries()) {
    if (text.trim() === '') continue;
    const space = text.lastIndexOf(' ');
    const label = parseInt(text.slice(space + 1), 10);
    if (space < 0 || Number.isNaN(label)) {
      throw new CaffeError(phrase`The line does not name an image and its label`, {
        file: list,
        line: i + 1,
        advice: phrase`Write "path/to/image.png 3"`,
      });
    }
    entries.push({ file: options.rootFolder + text.slice(0, space), label, line: i + 1 });
  }
  if (entries.length === 0) throw new CaffeError(phrase`The list names no image`, { file: list });

  // The place of the first image is the place of all.
  const first = entries[0].file;
  const folders = [...options.folders, dirname(list)];
  const found = await locate(first, folders, phrase`the image`);
  const base = found.endsWith(first) ? found.slice(0, found.length - first.length) : undefined;
  const resolve = (file: string) =>
    base === undefined ? locate(file, folders, phrase`the image`) : Promise.resolve(base + file);

  const item = async (index: number): Promise<Item> => {
    const { file, label, line } = entries[index];
    const name = `${list}, line ${line}`;
    const path = await resolve(file);
    const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
      throw new CaffeError(phrase`The image ${path} cannot be read (${reasonOf(cause)})`, {
        file: list,
        line,
      });
    });
    const image = decodeImage(bytes, options.mode, path);
    const pixels =
      options.size === undefined ? image : resize(image, options.size.height, options.size.width);
    return { index, name, pixels, label };
  };
  return {
    name: list,
    count: entries.length,
    async *items(from = 0) {
      for (let index = from; index < entries.length; index++) yield await item(index);
    },
    item,
    close: () => Promise.resolve(),
  };
}
