import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openFile } from '../src/caffe/byteSource';
import { type Model, openModel } from '../src/caffe/model';
import { type BlobToWrite, writeModel } from '../src/caffe/writeModel';

/** Shapes of the weights of nets whose sizes people know; biases follow from the first dimension. */
const nets: Record<string, [name: string, type: string, shape: number[]][]> = {
  lenet: [
    ['conv1', 'Convolution', [20, 1, 5, 5]],
    ['conv2', 'Convolution', [50, 20, 5, 5]],
    ['ip1', 'InnerProduct', [500, 800]],
    ['ip2', 'InnerProduct', [10, 500]],
  ],
  vgg16: [
    ['conv1_1', 'Convolution', [64, 3, 3, 3]],
    ['conv1_2', 'Convolution', [64, 64, 3, 3]],
    ['conv2_1', 'Convolution', [128, 64, 3, 3]],
    ['conv2_2', 'Convolution', [128, 128, 3, 3]],
    ['conv3_1', 'Convolution', [256, 128, 3, 3]],
    ['conv3_2', 'Convolution', [256, 256, 3, 3]],
    ['conv3_3', 'Convolution', [256, 256, 3, 3]],
    ['conv4_1', 'Convolution', [512, 256, 3, 3]],
    ['conv4_2', 'Convolution', [512, 512, 3, 3]],
    ['conv4_3', 'Convolution', [512, 512, 3, 3]],
    ['conv5_1', 'Convolution', [512, 512, 3, 3]],
    ['conv5_2', 'Convolution', [512, 512, 3, 3]],
    ['conv5_3', 'Convolution', [512, 512, 3, 3]],
    ['fc6', 'InnerProduct', [4096, 25088]],
    ['fc7', 'InnerProduct', [4096, 4096]],
    ['fc8', 'InnerProduct', [1000, 4096]],
  ],
};

/** Makes (once) a model file of a known net's size: `lenet`, 431 thousand weights, or `vgg16`, 138 million. */
export async function benchModel(net: 'lenet' | 'vgg16'): Promise<string> {
  const folder = join('bench', '.data');
  const file = join(folder, `${net}.caffemodel`);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  const draw = roughNormal(1);
  const blob = (shape: number[], scale: number): BlobToWrite => ({
    shape,
    data: () => {
      const values = new Float32Array(shape.reduce((product, size) => product * size));
      for (let i = 0; i < values.length; i++) values[i] = scale * draw();
      return values;
    },
  });
  const layers = nets[net].map(([name, type, shape]) => {
    const fanIn = shape.slice(1).reduce((product, size) => product * size);
    return { name, type, tops: [name], blobs: [blob(shape, 1 / Math.sqrt(fanIn)), blob([shape[0]], 0.02)] };
  });
  await writeModel(file, { name: net, layers });
  return file;
}

/** Numbers spread about as normal deviates are: the sum of four uniform ones, from a fast xorshift generator. */
function roughNormal(seed: number): () => number {
  let state = seed;
  const uniform = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4294967296;
  };
  return () => (uniform() + uniform() + uniform() + uniform() - 2) * Math.sqrt(3);
}

/** Opens a model for the time of `use`. */
export async function withModel<Result>(
  file: string,
  use: (model: Model, source: Awaited<ReturnType<typeof openFile>>) => Promise<Result>,
): Promise<Result> {
  const source = await openFile(file);
  try {
    return await use(await openModel(source), source);
  } finally {
    await source.close();
  }
}

/** Where each blob's floats are in the file, for programs that cannot index it: offset in bytes and count. */
export const floatRanges = (file: string): Promise<[offset: number, count: number][]> =>
  withModel(file, async ({ layers }) =>
    layers.flatMap(({ blobs }) =>
      blobs.map(({ segments: [{ offset, count }] }): [number, number] => [offset, count]),
    ),
  );
