import { openFile } from '../caffe/byteSource';
import { CaffeError } from '../caffe/errors';
import { Hdf5File, type Hdf5Type } from '../caffe/hdf5';
import { Random } from '../caffe/random';
import { phrase } from '../phrase';
import { feedOf, type Batch, type Feed } from './feed';
import { shortened } from './itemFeed';

export interface Hdf5FeedOptions {
  /** The layer's name, for errors. */
  layer: string;
  /** The datasets to read: the layer's tops. */
  tops: readonly string[];
  batchSize: number;
  shuffle: boolean;
  seed: number;
}

/** A file in memory: for each top its rows. */
interface Table {
  rows: number;
  shapes: number[][];
  values: Float32Array[];
}

/**
 * Feeds the rows of HDF5 files, as Caffe's HDF5Data layer does: a file is held in memory as a whole, and shuffled rows
 * stay within their file.
 */
export async function hdf5Feed(
  name: string,
  files: readonly string[],
  options: Hdf5FeedOptions,
): Promise<Feed> {
  const { layer, tops, batchSize } = options;
  if (batchSize < 1) throw new CaffeError(phrase`batch_size must be at least 1`, { layer });
  if (files.length === 0) throw new CaffeError(phrase`The list names no HDF5 file`, { layer, file: name });

  const shapes = await Promise.all(files.map((file) => readShapes(file, tops, layer)));
  for (const [i, shape] of shapes.entries()) {
    for (const [k, top] of tops.entries()) {
      if (shape[k].slice(1).join() !== shapes[0][k].slice(1).join()) {
        throw new CaffeError(
          phrase`"${top}" is ${shape[k].join('x')} here, but ${shapes[0][k].join('x')} in ${files[0]}`,
          { layer, file: files[i] },
        );
      }
    }
  }
  const starts = shapes.map((_, i) => shapes.slice(0, i).reduce((sum, [first]) => sum + first[0], 0));
  const count = shapes.reduce((sum, [first]) => sum + first[0], 0);
  if (count === 0) throw new CaffeError(phrase`The HDF5 files have no rows`, { layer, file: name });

  // With one file it is read once and stays.
  let held: { file: number; table: Table } | undefined;
  const load = async (file: number) => {
    if (held?.file !== file) {
      held = undefined;
      held = { file, table: await readTable(files[file], tops, layer) };
    }
    return held.table;
  };

  async function* rows(random: Random | undefined, endless: boolean, passed: number) {
    let skip = passed;
    const order = files.map((_, i) => i);
    do {
      random?.shuffle(order);
      for (const file of order) {
        const [[count]] = shapes[file];
        const rowOrder = Uint32Array.from({ length: count }, (_, i) => i);
        random?.shuffle(rowOrder);
        if (skip < count) {
          const table = await load(file);
          if (table.rows !== count) {
            throw new CaffeError(phrase`The file has ${table.rows} rows now, but ${count} before`, {
              layer,
              file: files[file],
            });
          }
          for (const row of rowOrder.subarray(skip)) yield { table, row, index: starts[file] + row };
        }
        skip = Math.max(0, skip - count);
      }
    } while (endless);
  }

  async function* batches(
    random: Random | undefined,
    endless: boolean,
    passed = 0,
  ): AsyncGenerator<Batch, void> {
    let batch: Batch | undefined;
    for await (const { table, row, index } of rows(random, endless, passed)) {
      batch ??= {
        items: [],
        tops: table.shapes.map(([, ...rest]) => ({
          shape: [batchSize, ...rest],
          data: new Float32Array(rest.reduce((product, dim) => product * dim, batchSize)),
        })),
      };
      for (const [k, top] of batch.tops.entries()) {
        const length = top.data.length / batchSize;
        top.data.set(table.values[k].subarray(row * length, (row + 1) * length), batch.items.length * length);
      }
      batch.items.push(index);
      if (batch.items.length === batchSize) {
        yield batch;
        batch = undefined;
      }
    }
    if (batch !== undefined) yield shortened(batch);
  }

  return feedOf({
    name,
    shapes: shapes[0].map(([, ...rest]) => [batchSize, ...rest]),
    batchSize,
    count,
    endless: (passed) => batches(options.shuffle ? new Random(options.seed) : undefined, true, passed),
    pass: () => batches(undefined, false),
    close: () => Promise.resolve(),
  });
}

async function readShapes(file: string, tops: readonly string[], layer: string): Promise<number[][]> {
  const source = await openFile(file);
  try {
    const hdf5 = await Hdf5File.open(source);
    return await Promise.all(tops.map(async (top) => (await dataset(hdf5, top, file, layer, tops)).shape));
  } finally {
    await source.close();
  }
}

async function readTable(file: string, tops: readonly string[], layer: string): Promise<Table> {
  const source = await openFile(file);
  try {
    const hdf5 = await Hdf5File.open(source);
    const values: Float32Array[] = [];
    const shapes: number[][] = [];
    for (const top of tops) {
      const found = await dataset(hdf5, top, file, layer, tops);
      shapes.push(found.shape);
      values.push(toFloats(await hdf5.readDataset(found), found.type));
    }
    return { rows: shapes[0][0], shapes, values };
  } finally {
    await source.close();
  }
}

async function dataset(hdf5: Hdf5File, top: string, file: string, layer: string, tops: readonly string[]) {
  const root = await hdf5.root();
  const found = await hdf5.child(root, top);
  if (found?.kind !== 'dataset') {
    throw new CaffeError(
      phrase`There is no dataset "${top}"; the file has ${[...root.links.keys()].join(', ')}`,
      {
        layer,
        file,
        advice: phrase`The tops of an HDF5Data layer are named as the datasets`,
      },
    );
  }
  if (found.shape.length === 0 || (found.type.class !== 'float' && found.type.class !== 'integer')) {
    throw new CaffeError(phrase`The dataset "${top}" holds no array of numbers`, { layer, file });
  }
  const first = await hdf5.child(root, tops[0]);
  if (first?.kind === 'dataset' && first.shape[0] !== found.shape[0]) {
    throw new CaffeError(
      phrase`"${top}" has ${found.shape[0]} rows, but "${tops[0]}" has ${first.shape[0]}`,
      {
        layer,
        file,
      },
    );
  }
  return found;
}

/** The elements as single floats, as the HDF5 library converts them. */
function toFloats(bytes: Uint8Array, { class: kind, size, littleEndian, signed }: Hdf5Type): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = Math.floor(bytes.length / size);
  const read = reader(kind, size, signed);
  if (read === undefined)
    throw new CaffeError(phrase`Numbers of this kind (${kind}, ${size} bytes) cannot be read`);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = read(view, i * size, littleEndian);
  return values;
}

type Read = (view: DataView, at: number, littleEndian: boolean) => number;

function reader(kind: Hdf5Type['class'], size: number, signed: boolean): Read | undefined {
  if (kind === 'float') {
    if (size === 4) return (view, at, little) => view.getFloat32(at, little);
    if (size === 8) return (view, at, little) => view.getFloat64(at, little);
    return undefined;
  }
  switch (size) {
    case 1:
      return signed ? (view, at) => view.getInt8(at) : (view, at) => view.getUint8(at);
    case 2:
      return signed ? (view, at, le) => view.getInt16(at, le) : (view, at, le) => view.getUint16(at, le);
    case 4:
      return signed ? (view, at, le) => view.getInt32(at, le) : (view, at, le) => view.getUint32(at, le);
    case 8:
      return signed
        ? (view, at, le) => Number(view.getBigInt64(at, le))
        : (view, at, le) => Number(view.getBigUint64(at, le));
    default:
      return undefined;
  }
}
