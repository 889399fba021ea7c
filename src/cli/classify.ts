import { classify } from '../jobs/classify';
import { type Command, percent, table, text, UsageError } from './command';
import { engineHelp, engineOptions, withEngine } from './engine';
import { testOptions, transformOf } from './testOptions';

const SHOWN = 5;

export const classifyCommand: Command = {
  name: 'classify',
  summary: 'Classify images',
  help: `caffe-pruner classify MODEL IMAGE... --net FILE [options]

Classifies JPEG and PNG images by a deploy net (or the TEST phase of a train_val net).

  --net FILE           the prototxt
  --train-val FILE     the train_val net: its data layer says mean, scale and crop, which a deploy net does not
  --labels FILE        names of the classes, one in a line (default: labels.txt, synset_words.txt ... beside the net)
  --scale S            factor of the pixels, after the mean
  --mean M             a mean value (one or one for each channel) or a .binaryproto file
  --crop N             size of the central crop
${engineHelp}`,
  options: {
    net: testOptions.net,
    scale: testOptions.scale,
    mean: testOptions.mean,
    crop: testOptions.crop,
    ...engineOptions,
    'train-val': { type: 'string' },
    labels: { type: 'string' },
  },
  async run(args, terminal) {
    const [model, ...images] = args.positionals;
    const netFile = text(args, 'net');
    if (model === undefined || images.length === 0) throw new UsageError('classify takes a model and images');
    if (netFile === undefined) throw new UsageError('--net is needed: the prototxt of the net');
    const params = {
      model,
      netFile,
      transform: transformOf(args),
      trainVal: text(args, 'train-val'),
      labels: text(args, 'labels'),
      workspaceFolders: [process.cwd()],
    };
    await withEngine(args, async (engine) => {
      for (const image of images) {
        const result = await classify({ ...params, image }, { signal: terminal.signal, engine });
        terminal.emit({ image, ...result });
        terminal.print(image);
        const rows = result.guesses
          .slice(0, SHOWN)
          .map(({ index, label = '', score }) => ['', String(index), percent(score), label]);
        terminal.print(table(rows, new Set([1, 2])));
      }
    });
  },
};
