import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import protobuf from 'protobufjs/minimal.js';
import type { LayerParameter, NetParameter } from '../../../src/caffe/messages';
import { Random } from '../../../src/caffe/random';
import { openFeed } from '../../../src/data/openFeed';
import { layerOf } from '../../../src/network/graph';
import { Net } from '../../../src/network/net';
import { ReferenceEngine } from '../../../src/tensor/reference';

/** A layer as the prototxt reader gives it. */
export const layer = (
  type: string,
  name: string,
  bottom: string[],
  top: string[],
  more: Partial<LayerParameter> = {},
): LayerParameter => layerOf(type, name, { bottom, top, ...more });

export const CLASSES = 7;

/**
 * A folder with `count` images of 6x6 in idx files, of seven classes that a net can tell apart, and a prototxt file (its
 * text is not read: tests hand the net over).
 */
export function tinyData(count: number): { folder: string; images: string; netFile: string } {
  const folder = mkdtempSync(join(tmpdir(), 'tiny-'));
  const random = new Random(3);
  const pixels = new Uint8Array(count * 36);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    labels[i] = random.below(CLASSES);
    for (let j = 0; j < 36; j++) {
      const bright = j % CLASSES === labels[i] ? 90 : 0;
      pixels[i * 36 + j] = bright + random.below(120);
    }
  }
  const u32 = (value: number) => [value >> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255];
  const images = join(folder, 'tiny-images-idx3-ubyte');
  writeFileSync(images, Uint8Array.from([0, 0, 8, 3, ...u32(count), ...u32(6), ...u32(6), ...pixels]));
  writeFileSync(
    join(folder, 'tiny-labels-idx1-ubyte'),
    Uint8Array.from([0, 0, 8, 1, ...u32(count), ...labels]),
  );
  const netFile = join(folder, 'net.prototxt');
  writeFileSync(netFile, 'name: "tiny"\n');
  return { folder, images, netFile };
}

/** conv - relu in place - ip1 - relu in place - ip2 - accuracy and loss, with a shortcut that is added in place. */
export function tinyNet(batch_size: number): NetParameter {
  const gaussian = { type: 'gaussian', std: 0.1 };
  return {
    name: 'tiny',
    layer: [
      layer('Data', 'data', [], ['data', 'label'], {
        data_param: { source: 'tiny-images-idx3-ubyte', batch_size },
        transform_param: { scale: 0.01 },
      }),
      layer('Convolution', 'conv', ['data'], ['conv'], {
        convolution_param: { num_output: 4, kernel_size: [3], pad: [1], weight_filler: gaussian },
      }),
      layer('ReLU', 'relu', ['conv'], ['conv']),
      layer('Convolution', 'branch', ['conv'], ['branch'], {
        convolution_param: { num_output: 4, kernel_size: [1], weight_filler: gaussian },
      }),
      layer('Power', 'grow', ['branch'], ['branch'], { power_param: { scale: 1.5, shift: 0.1 } }),
      layer('Eltwise', 'sum', ['conv', 'branch'], ['sum']),
      layer('InnerProduct', 'ip1', ['sum'], ['ip1'], {
        inner_product_param: { num_output: 20, weight_filler: gaussian },
      }),
      layer('ReLU', 'relu1', ['ip1'], ['ip1']),
      layer('InnerProduct', 'ip2', ['ip1'], ['ip2'], {
        inner_product_param: { num_output: CLASSES, weight_filler: gaussian },
      }),
      layer('Accuracy', 'accuracy', ['ip2', 'label'], ['accuracy']),
      layer('SoftmaxWithLoss', 'loss', ['ip2', 'label'], ['loss']),
    ],
  };
}

/** The same net as a user writes it, in batches of ten. */
export const tinyNetText = `name: "tiny"
layer { name: "data" type: "Data" top: "data" top: "label" transform_param { scale: 0.01 }
  data_param { source: "tiny-images-idx3-ubyte" batch_size: 10 } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 4 kernel_size: 3 pad: 1 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "branch" type: "Convolution" bottom: "conv" top: "branch" convolution_param { num_output: 4 kernel_size: 1 } }
layer { name: "grow" type: "Power" bottom: "branch" top: "branch" power_param { scale: 1.5 shift: 0.1 } }
layer { name: "sum" type: "Eltwise" bottom: "conv" bottom: "branch" top: "sum" }
layer { name: "ip1" type: "InnerProduct" bottom: "sum" top: "ip1" inner_product_param { num_output: 20 } }
layer { name: "relu1" type: "ReLU" bottom: "ip1" top: "ip1" }
layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2" inner_product_param { num_output: 7 } }
layer { name: "accuracy" type: "Accuracy" bottom: "ip2" bottom: "label" top: "accuracy" include { phase: TEST } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip2" bottom: "label" top: "loss" }
`;

/** Trains the tiny net a little and writes its weights to a model file. */
export async function trainTiny(netFile: string, file: string, iterations = 120): Promise<void> {
  const net = tinyNet(20);
  const feed = await openFeed(net.layer[0], { phase: 'TRAIN', folders: [dirname(netFile)] });
  const trained = new Net(net, {
    phase: 'TRAIN',
    engine: new ReferenceEngine(),
    sourceShapes: () => feed.shapes.map((s) => [...s]),
  });
  for (let i = 0; i < iterations; i++) {
    trained.feed('data', (await feed.next()).tops);
    trained.clearGradients();
    trained.forward();
    trained.backward();
    for (const { blob } of trained.params) blob.data.forEach((_, j) => (blob.data[j] -= 0.1 * blob.diff[j]));
  }
  writeFileSync(file, modelBytes(trained.weights()));
  trained.dispose();
  await feed.close();
}

/** A caffemodel: NetParameter { layer (100) { name (1) type (2) blobs (7) { shape (7) { dim (1) } data (5) } } }. */
export function modelBytes(
  layers: readonly {
    name: string;
    type: string;
    blobs: { shape: readonly number[]; data: Float32Array }[];
  }[],
): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const { name, type, blobs } of layers) {
    writer.uint32((100 << 3) | 2).fork();
    writer.uint32(10).string(name).uint32(18).string(type);
    for (const { shape, data } of blobs) {
      writer.uint32((7 << 3) | 2).fork();
      writer
        .uint32((7 << 3) | 2)
        .fork()
        .uint32(10)
        .fork();
      for (const dim of shape) writer.int64(dim);
      writer.ldelim().ldelim();
      writer.uint32((5 << 3) | 2).bytes(new Uint8Array(data.slice().buffer));
      writer.ldelim();
    }
    writer.ldelim();
  }
  return writer.finish();
}

/** Runs a job to its end and returns what it yielded and its result. */
export async function runJob<Event, Result>(
  job: AsyncGenerator<Event, Result, void>,
): Promise<{ events: Event[]; result: Result }> {
  const events: Event[] = [];
  for (;;) {
    const next = await job.next();
    if (next.done === true) return { events, result: next.value };
    events.push(next.value);
  }
}
