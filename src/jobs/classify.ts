import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CaffeError, reasonOf } from '../caffe/errors';
import { readText } from '../caffe/readText';
import type { LayerParameter, NetParameter, TransformationParameter } from '../caffe/messages';
import { decodeImage } from '../data/image';
import type { Item, ItemSource } from '../data/items';
import { searchFolders } from '../data/locate';
import { readMean } from '../data/openFeed';
import { resize } from '../data/resize';
import type { Mean } from '../data/transform';
import { layersFor } from '../network/graph';
import type { Net } from '../network/net';
import { phrase } from '../phrase';
import type { ComputeContext } from './job';
import { loadWeights } from './loadWeights';
import { readNetFile } from './netFile';
import type { Scores } from './scores';
import { TestNet, withNet } from './testNet';

export interface ClassifyParams {
  model: string;
  netFile: string;
  /** The net's content, where that is at hand already. */
  net?: NetParameter;
  /** A JPEG or PNG file: its path, or its bytes with a name for errors. */
  image: string | { name: string; bytes: Uint8Array };
  /**
   * How the image becomes the input: mean, scale and crop. A deploy net does not say; by default what the data layer of
   * `trainVal` says, and nothing where there is none.
   */
  transform?: TransformationParameter;
  /** The net that the deploy net belongs to: its file. */
  trainVal?: string;
  /** A text file with the name of each class in its line; by default one of {@link LABEL_FILES} beside the net. */
  labels?: string;
  workspaceFolders?: readonly string[];
}

export interface Guess {
  index: number;
  /** The name of the class, where a file tells it. */
  label?: string;
  /** What the net gives for it: a probability, where the net ends with Softmax. */
  score: number;
}

export interface Classification {
  /** The classes from the highest score on. */
  guesses: Guess[];
  /** The blob that the scores are from. */
  blob: string;
  seconds: number;
}

export const LABEL_FILES = [
  'labels.txt',
  'synset_words.txt',
  'synsets.txt',
  'synset.txt',
  'classes.txt',
  'words.txt',
];
/** More classes than these are not reported. */
const MAX_GUESSES = 100;

/**
 * Classifies one image. It is brought to the size of the net's input (or of the mean image, from which the centre is
 * cropped), in colour or gray as the net has three channels or one; then mean and scale are applied as in Caffe.
 *
 * @throws CaffeError when the image cannot be decoded, or the net does not classify
 */
export async function classify(
  params: ClassifyParams,
  { engine, signal }: ComputeContext,
): Promise<Classification> {
  const { net, netFile, workspaceFolders } = await withNet(params);
  const layers = layersFor(net, { phase: 'TEST' });
  const ownTransform = dataLayer(layers)?.transform_param;
  const given = params.transform ?? ownTransform ?? (await transformOf(params.trainVal)) ?? {};
  const mean = await readMean(given, searchFolders(netFile, workspaceFolders));
  const shape = inputShape(layers);
  const crop = mean !== undefined && shape !== undefined && mean.height > shape[1] ? shape[1] : undefined;
  const transform = { ...given, crop_size: given.crop_size ?? crop, mirror: false };

  const begin = performance.now();
  const item = await prepare(params.image, shape, transform, mean);
  const data: ItemSource = {
    name: item.name,
    count: 1,
    async *items() {
      yield await Promise.resolve(item);
    },
    close: () => Promise.resolve(),
  };
  const test = await TestNet.open(
    { netFile, net: withTransform(net, transform), data, transform, batchSize: 1, workspaceFolders },
    { engine },
  );
  try {
    const { scores } = test;
    if (scores === undefined) {
      throw new CaffeError(phrase`The net gives no score for each class`, {
        file: netFile,
        advice: phrase`Its outputs are ${test.net.outputs.join(', ')}`,
      });
    }
    await loadWeights(test.net, params.model, signal);
    for await (const _ of test.batches(signal)) test.net.forward();
    const { blob, values } = answerOf(test.net, scores);
    if (values.some(Number.isNaN)) throw test.notFinite();
    const names = await readLabels(params);
    const guesses = [...values]
      .map((score, index) => ({ index, label: names[index], score }))
      .sort((a, b) => b.score - a.score)
      .slice(0, MAX_GUESSES);
    return { guesses, blob, seconds: (performance.now() - begin) / 1000 };
  } finally {
    await test.dispose();
  }
}

/**
 * What the net says of each class of its first item: its output, or else the scores that it is trained by; as
 * probabilities, where its loss takes the softmax of them.
 */
function answerOf(net: Net, scores: Scores): { blob: string; values: Float32Array } {
  const valuesOf = (blob: string) => net.blob(blob).data.slice(0, scores.classes);
  const output = net.outputs.find((name) => net.blob(name).data.length === scores.classes);
  if (output !== undefined) return { blob: output, values: valuesOf(output) };
  // A blob that several layers read reaches each of them through a Split.
  const unsplit = (blob: string) =>
    net.layers.find(({ type, top }) => type === 'Split' && top.includes(blob))?.bottom[0] ?? blob;
  const blob = unsplit(scores.blob);
  const values = valuesOf(blob);
  const bySoftmax = net.layers.some(
    ({ type, bottom }) => ['SoftmaxWithLoss', 'InfogainLoss'].includes(type) && unsplit(bottom[0]) === blob,
  );
  if (!bySoftmax) return { blob, values };
  const most = values.reduce((a, b) => Math.max(a, b));
  const powers = values.map((value) => Math.exp(value - most));
  const sum = powers.reduce((a, b) => a + b);
  return { blob: `softmax(${blob})`, values: powers.map((power) => power / sum) };
}

/** What the data layer of a net in the TEST phase does with images. */
async function transformOf(trainVal: string | undefined): Promise<TransformationParameter | undefined> {
  if (trainVal === undefined) return undefined;
  return dataLayer(layersFor(await readNetFile(trainVal), { phase: 'TEST' }))?.transform_param;
}

const dataLayer = (layers: readonly LayerParameter[]) => layers.find(({ bottom }) => bottom.length === 0);

/** A copy of the net whose own data layers transform like this. */
const withTransform = (net: NetParameter, transform_param: TransformationParameter): NetParameter => ({
  ...net,
  layer: net.layer.map((layer) =>
    layer.bottom.length === 0 && layer.type !== 'Input' ? { ...layer, transform_param } : layer,
  ),
});

/** Channels, height and width of the input, as far as the net says them. */
function inputShape(layers: readonly LayerParameter[]): number[] | undefined {
  const input = dataLayer(layers);
  const [, ...shape] = input?.input_param?.shape?.[0]?.dim ?? [];
  if (shape.length === 3) return shape;
  const { channels, height, width } = input?.memory_data_param ?? {};
  return channels && height && width ? [channels, height, width] : undefined;
}

async function prepare(
  image: ClassifyParams['image'],
  shape: number[] | undefined,
  transform: TransformationParameter,
  mean: Mean | undefined,
): Promise<Item> {
  const { name, bytes } = typeof image === 'string' ? { name: image, bytes: await readImage(image) } : image;
  const channels = shape?.[0] ?? mean?.channels;
  const mode = channels === 1 || transform.force_gray === true ? 'gray' : channels === 3 ? 'color' : 'native';
  const decoded = decodeImage(bytes, mode, name);
  const [height, width] = mean
    ? [mean.height, mean.width]
    : (shape?.slice(1) ?? [transform.crop_size ?? decoded.height, transform.crop_size ?? decoded.width]);
  return { index: 0, name, pixels: resize(decoded, height, width), label: 0 };
}

const readImage = (path: string) =>
  readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new CaffeError(phrase`The image cannot be read (${reasonOf(cause)})`, { file: path, cause });
  });

/** Names of the classes by index. ImageNet's synset files begin each line with an id, which is left out. */
async function readLabels({ labels, netFile, model }: ClassifyParams): Promise<string[]> {
  const candidates = labels
    ? [labels]
    : [dirname(netFile), dirname(model)].flatMap((folder) => LABEL_FILES.map((file) => join(folder, file)));
  for (const file of candidates) {
    const text = await readText(file, phrase`The list of class names`).catch((error: unknown) => {
      if (labels === undefined) return undefined;
      throw error;
    });
    if (text === undefined) continue;
    return text.split(/\r?\n/).map((line) => line.trim().replace(/^n\d{8}\s+(?=\S)/, ''));
  }
  return [];
}
