import { CaffeError } from '../caffe/errors';
import { Random } from '../caffe/random';
import { phrase } from '../phrase';
import { feedOf, type Batch, type Feed } from './feed';
import type { Item, ItemSource } from './items';
import type { Transformer } from './transform';

export interface ItemFeedOptions {
  /** The layer's name, for errors. */
  layer: string;
  batchSize: number;
  /** Whether the layer has a top for labels. */
  labels: boolean;
  /** Whether each epoch of the endless run has an order of its own. */
  shuffle: boolean;
  /** The endless run begins at a random item below this one (`rand_skip`). */
  randSkip: number;
  seed: number;
  /** A transformer that draws from the generator. */
  transformer: (random: Random) => Transformer;
}

/** Feeds the items of a source, transformed, as Caffe's Data and ImageData layers do. */
export async function itemFeed(source: ItemSource, options: ItemFeedOptions): Promise<Feed> {
  const { layer, batchSize, labels, transformer } = options;
  if (batchSize < 1) throw new CaffeError(phrase`batch_size must be at least 1`, { layer });
  const shuffled = options.shuffle ? source.item?.bind(source) : undefined;
  if (options.shuffle && shuffled === undefined) {
    throw new CaffeError(phrase`Only a list of images can be shuffled`, { layer, file: source.name });
  }

  const sample = source.items();
  const first = await sample.next();
  await sample.return();
  if (first.done === true)
    throw new CaffeError(phrase`The source has no items`, { layer, file: source.name });
  const shape = transformer(new Random(options.seed)).shape(first.value.pixels);

  async function* epochs(random: Random, passed: number): AsyncGenerator<Item, void> {
    let skip = options.randSkip > 0 ? random.below(options.randSkip) : 0;
    if (source.count !== undefined && skip >= source.count) {
      throw new CaffeError(phrase`rand_skip passes over ${skip} items, but there are ${source.count}`, {
        layer,
      });
    }
    const order =
      shuffled === undefined ? undefined : Uint32Array.from({ length: source.count! }, (_, i) => i);
    skip += passed;
    for (;;) {
      if (order !== undefined) random.shuffle(order);
      if (source.count !== undefined && skip >= source.count) {
        skip -= source.count;
      } else if (order === undefined || shuffled === undefined) {
        // Items of unknown number are passed over one by one.
        const known = source.count !== undefined;
        let left = known ? 0 : skip;
        for await (const item of source.items(known ? skip : 0)) {
          if (left > 0) left--;
          else yield item;
        }
        skip = left;
      } else {
        for (const index of order.subarray(skip)) yield await shuffled(index);
        skip = 0;
      }
    }
  }

  async function* batches(
    items: AsyncGenerator<Item, void>,
    random: Random,
    passed = 0,
  ): AsyncGenerator<Batch, void> {
    const transform = transformer(random);
    transform.skip(passed);
    let batch: Batch | undefined;
    for await (const item of items) {
      const itemShape = transform.shape(item.pixels);
      batch ??= {
        tops: [
          { shape: [batchSize, ...itemShape], data: new Float32Array(batchSize * volume(itemShape)) },
          ...(labels ? [{ shape: [batchSize], data: new Float32Array(batchSize) }] : []),
        ],
        items: [],
      };
      const [image, label] = batch.tops;
      if (itemShape.some((dim, i) => dim !== image.shape[i + 1])) {
        throw new CaffeError(
          phrase`An image of ${itemShape.join('x')} does not fit a batch of ${image.shape.slice(1).join('x')}`,
          {
            layer,
            file: item.name,
            advice: phrase`Set new_height and new_width or crop_size, or a batch_size of 1`,
          },
        );
      }
      const position = batch.items.length;
      transform.apply(item.pixels, image.data, position * volume(itemShape), item.name);
      if (labels) label.data[position] = item.label;
      batch.items.push(item.index);
      if (batch.items.length === batchSize) {
        yield batch;
        batch = undefined;
      }
    }
    if (batch !== undefined) yield shortened(batch);
  }

  const generators = () => {
    const seeds = new Random(options.seed);
    return [new Random(seeds.next()), new Random(seeds.next())] as const;
  };
  return feedOf({
    name: source.name,
    shapes: [[batchSize, ...shape], ...(labels ? [[batchSize]] : [])],
    batchSize,
    count: source.count,
    endless(passed) {
      const [order, crops] = generators();
      return batches(epochs(order, passed), crops, passed);
    },
    pass: () => batches(source.items(), generators()[1]),
    close: () => source.close(),
  });
}

const volume = (shape: readonly number[]) => shape.reduce((product, dim) => product * dim, 1);

/** A batch that is not full, cut to the items it has. */
export function shortened({ tops, items }: Batch): Batch {
  const n = items.length;
  return {
    items,
    tops: tops.map(({ shape: [, ...rest], data }) => ({
      shape: [n, ...rest],
      data: data.subarray(0, n * volume(rest)),
    })),
  };
}
