import type { TransformationParameter } from '../caffe/messages';
import type { TestSource } from '../jobs/testNet';
import { type Arguments, type Command, number, parseNumber, text, texts, UsageError, whole } from './command';
import { engineHelp, engineOptions } from './engine';

/** Options of the commands that run a net on data. */
export const testOptions: Command['options'] = {
  net: { type: 'string' },
  data: { type: 'string' },
  items: { type: 'string' },
  batch: { type: 'string' },
  scale: { type: 'string' },
  mean: { type: 'string', multiple: true },
  crop: { type: 'string' },
  stage: { type: 'string', multiple: true },
  seed: { type: 'string' },
  ...engineOptions,
};

export const testHelp = `  --net FILE           the prototxt: a train_val net, of which the TEST phase runs, or a deploy net with --data
  --data PATH          data instead of the net's own: a folder of LMDB or LevelDB, idx or CIFAR files, a list of images
  --items N            stop after N items
  --batch N            items in a batch
  --scale S            of a deploy net's data: factor of the pixels, after the mean
  --mean M             of a deploy net's data: a mean value (one or one for each channel) or a .binaryproto file
  --crop N             of a deploy net's data: size of the central crop
  --stage NAME         a stage of the net (repeatable)
  --seed N             seed of what is random in the data (1)
${engineHelp}`;

/** The net and its data, as the options tell them. */
export function testSource(args: Arguments): TestSource {
  const netFile = text(args, 'net');
  if (netFile === undefined) throw new UsageError('--net is needed: the prototxt of the net');
  return {
    netFile,
    data: text(args, 'data'),
    transform: transformOf(args),
    batchSize: whole(args, 'batch', 1),
    stages: texts(args, 'stage'),
    seed: whole(args, 'seed', 0),
    workspaceFolders: [process.cwd()],
  };
}

export const limitOf = (args: Arguments) => whole(args, 'items', 1);

export function transformOf(args: Arguments): TransformationParameter | undefined {
  const scale = number(args, 'scale');
  const crop_size = whole(args, 'crop', 1);
  const means = texts(args, 'mean');
  const files = means.filter((mean) => !/^[-+\d.]/.test(mean) || /\.binaryproto$/i.test(mean));
  if (files.length > 1 || (files.length > 0 && means.length > 1)) {
    throw new UsageError('--mean takes one file, or values');
  }
  if (scale === undefined && crop_size === undefined && means.length === 0) return undefined;
  return {
    scale,
    crop_size,
    ...(files.length > 0
      ? { mean_file: files[0] }
      : { mean_value: means.map((mean) => parseNumber(mean, '--mean')) }),
  };
}
