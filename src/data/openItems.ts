import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { openFile } from '../caffe/byteSource';
import { CaffeError } from '../caffe/errors';
import { phrase } from '../phrase';
import { CIFAR_RECORD, cifarItems } from './cifar';
import { databaseItems } from './database';
import { diskFolder } from './folder';
import { idxItems } from './idx';
import { imageListItems, type ImageListOptions } from './imageList';
import type { ItemSource } from './items';
import { openLevelDb } from './leveldb';
import { openLmdb } from './lmdb';

/**
 * Opens whatever holds items: the folder (or file) of an LMDB database, the folder of a LevelDB database, MNIST's idx
 * files (the images' file is named, the labels' file lies beside it), a CIFAR-10 binary batch, or a text file that lists
 * images. The content decides, not what the layer calls it.
 */
export async function openItems(path: string, options: ImageListOptions): Promise<ItemSource> {
  const { mode } = options;
  if ((await stat(path)).isDirectory()) {
    const names = await diskFolder(path).list();
    if (names.includes('data.mdb'))
      return databaseItems(await openLmdb(await openFile(join(path, 'data.mdb'))), path, mode);
    if (names.includes('CURRENT')) return databaseItems(await openLevelDb(diskFolder(path)), path, mode);
    throw new CaffeError(
      phrase`The folder is neither an LMDB database (data.mdb) nor a LevelDB database (CURRENT)`,
      {
        file: path,
      },
    );
  }

  const source = await openFile(path);
  try {
    const head = await source.read(0, Math.min(source.size, 512));
    if (isIdx(head, path)) {
      const labels = await openFile(labelsBeside(path));
      return await idxItems(source, labels).finally(() => Promise.all([source.close(), labels.close()]));
    }
    if (head.length >= 20 && new DataView(head.buffer, head.byteOffset).getUint32(16, true) === 0xbeefc0de) {
      return databaseItems(await openLmdb(source), path, mode);
    }
    if (source.size > 0 && source.size % CIFAR_RECORD === 0 && (head.includes(0) || path.endsWith('.bin')))
      return cifarItems(source);
    if (head.includes(0) || head.length === 0) {
      throw new CaffeError(phrase`The file holds no images of a known kind`, {
        file: path,
        advice: phrase`LMDB and LevelDB databases, MNIST idx files, CIFAR-10 batches and lists of images can be read`,
      });
    }
  } catch (error) {
    await source.close();
    throw error;
  }
  await source.close();
  return imageListItems(path, options);
}

/** A compressed file is taken by its name: MNIST's files are `...-idx3-ubyte.gz`. */
const isIdx = (head: Uint8Array, path: string) =>
  (head[0] === 0 && head[1] === 0 && head[2] === 8 && head[3] === 3) ||
  (head[0] === 0x1f && head[1] === 0x8b && /idx3/.test(basename(path)));

function labelsBeside(images: string): string {
  const name = basename(images).replace('images', 'labels').replace('idx3', 'idx1');
  if (name === basename(images)) {
    throw new CaffeError(phrase`The labels of the images cannot be found by the name of the file`, {
      file: images,
      advice: phrase`Name the files as MNIST does: t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte`,
    });
  }
  return join(dirname(images), name);
}
