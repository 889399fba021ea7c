import { existsSync } from 'node:fs';
import { alreadyThere } from '../caffe/atomicWrite';
import { saliency } from '../jobs/saliency';
import { writeSaliency } from '../jobs/saliencyFile';
import { saliencyFileOf } from '../sparsity/recipe';
import { type Command, flag, grouped, text, UsageError, whole } from './command';
import { withEngine } from './engine';
import { testHelp, testOptions, testSource } from './testOptions';

const { items: _items, batch: _batch, ...options } = testOptions;

export const saliencyCommand: Command = {
  name: 'saliency',
  summary: 'Measure what the loss would lose with each weight, to prune by it',
  help: `caffe-pruner saliency MODEL --net FILE [--data PATH] [options]
caffe-pruner prune MODEL --keep RATIO --saliency MODEL.saliency.npz

Optimal Brain Damage: half the second derivative of the loss by each weight, times the weight squared; the derivative
from the squared gradients of single items. Writes an .npz with an array for each layer.

${testHelp
  .split('\n')
  .filter((line) => !/^ {2}--(items|batch) /.test(line))
  .join('\n')}
  --samples N          measure on the first N items (3000); by default of the net's training data
  --output FILE        what to write (default: MODEL.saliency.npz)
  --replace            replace it when it is there`,
  options: {
    ...options,
    samples: { type: 'string' },
    output: { type: 'string' },
    replace: { type: 'boolean' },
  },
  async run(args, terminal) {
    const [model, ...rest] = args.positionals;
    if (model === undefined || rest.length > 0) throw new UsageError('saliency takes one model');
    const output = text(args, 'output') ?? saliencyFileOf(model);
    const replace = flag(args, 'replace');
    // Sooner than after minutes of measuring.
    if (!replace && existsSync(output)) throw alreadyThere(output);
    const calibration = { data: text(args, 'data'), samples: whole(args, 'samples', 1) };
    const params = { ...testSource(args), model, calibration };
    const measured = await withEngine(args, (engine) =>
      terminal.run(saliency(params, { signal: terminal.signal, engine })),
    );
    await writeSaliency(output, measured, { replace, signal: terminal.signal });
    const layers = [...measured].map(([layer, values]) => ({ layer, weights: values.length }));
    terminal.emit({ output, layers });
    for (const { layer, weights } of layers) terminal.print(`${layer}: ${grouped(weights)} weights`);
    terminal.print(`wrote ${output}`);
  },
};
