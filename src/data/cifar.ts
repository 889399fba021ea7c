import type { ByteSource } from '../caffe/byteSource';
import type { ItemSource } from './items';

const SIDE = 32;
const IMAGE = 3 * SIDE * SIDE;
/** Bytes of a record: a label, then the red, green and blue planes (cs.toronto.edu/~kriz/cifar.html). */
export const CIFAR_RECORD = 1 + IMAGE;

/** The images of a CIFAR-10 batch in its binary version. Planes stay red, green, blue, as Caffe's converter has them. */
export function cifarItems(source: ByteSource): ItemSource {
  const count = Math.floor(source.size / CIFAR_RECORD);
  const item = async (index: number) => {
    const record = await source.read(index * CIFAR_RECORD, CIFAR_RECORD);
    return {
      index,
      name: `${source.name}, image ${index}`,
      pixels: { channels: 3, height: SIDE, width: SIDE, data: record.subarray(1) },
      label: record[0],
    };
  };
  return {
    name: source.name,
    count,
    isRgb: true,
    async *items(first = 0) {
      for (let index = first; index < count; index++) yield await item(index);
    },
    item,
    close: () => source.close(),
  };
}
