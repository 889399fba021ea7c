import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { ByteSource } from '../caffe/byteSource';
import { CaffeError } from '../caffe/errors';
import { phrase, type Phrase } from '../phrase';
import type { ItemSource } from './items';

const decompress = promisify(gunzip);
/** MNIST's training images are 47 MB; an idx file far beyond that is no image set of this kind. */
const MAX_SIZE = 2 ** 30;
const UNSIGNED_BYTES = 0x08;

/**
 * Images and labels in the two files of MNIST's idx format (yann.lecun.com/exdb/mnist), compressed by gzip or not:
 * 0, 0, type, number of dimensions, each dimension as u32 big-endian, then the bytes.
 */
export async function idxItems(images: ByteSource, labels: ByteSource): Promise<ItemSource> {
  const pixels = await readIdx(images, 3);
  const classes = await readIdx(labels, 1);
  const [count, height, width] = pixels.dims;
  if (classes.dims[0] !== count) {
    throw new CaffeError(phrase`There are ${classes.dims[0]} labels for ${count} images`, {
      file: labels.name,
    });
  }
  const item = (index: number) => ({
    index,
    name: `${images.name}, image ${index}`,
    pixels: {
      channels: 1,
      height,
      width,
      data: pixels.bytes.subarray(index * height * width, (index + 1) * height * width),
    },
    label: classes.bytes[index],
  });
  return {
    name: images.name,
    count,
    async *items(first = 0) {
      for (let index = first; index < count; index++) yield item(index);
    },
    item: (index) => Promise.resolve(item(index)),
    close: () => Promise.resolve(),
  };
}

async function readIdx(
  source: ByteSource,
  dimensions: number,
): Promise<{ dims: number[]; bytes: Uint8Array }> {
  const fail = (what: Phrase) => new CaffeError(what, { file: source.name });
  if (source.size > MAX_SIZE) throw fail(phrase`The idx file has ${source.size} bytes, too many to be one`);
  let bytes = await source.read(0, source.size);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    bytes = await decompress(bytes, { maxOutputLength: MAX_SIZE }).catch((cause: unknown) => {
      throw new CaffeError(phrase`The compressed idx file is damaged`, { file: source.name, cause });
    });
  }
  const header = 4 + 4 * dimensions;
  if (bytes.length < header || bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== UNSIGNED_BYTES) {
    throw fail(phrase`This is no idx file of bytes`);
  }
  if (bytes[3] !== dimensions)
    throw fail(phrase`The idx file has ${bytes[3]} dimensions instead of ${dimensions}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dims = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  const size = dims.reduce((product, dim) => product * dim, 1);
  if (bytes.length < header + size)
    throw fail(phrase`The idx file ends too early for its size ${dims.join('x')}`);
  return { dims, bytes: bytes.subarray(header) };
}
