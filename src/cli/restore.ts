import { restore } from '../jobs/restore';
import { type Command, flag, text, UsageError } from './command';

export const restoreCommand: Command = {
  name: 'restore',
  summary: 'Turn sparse weights (.npz) back into a dense model, bit for bit',
  help: `caffe-pruner restore FILE.npz --output MODEL [--original MODEL]

  --output MODEL     the .caffemodel to write
  --original MODEL   the model that was pruned: all but its weights is kept to the byte
  --replace          replace the output when it is there`,
  options: {
    output: { type: 'string' },
    original: { type: 'string' },
    replace: { type: 'boolean' },
  },
  async run(args, terminal) {
    const [file, ...rest] = args.positionals;
    const target = text(args, 'output');
    if (file === undefined || rest.length > 0) throw new UsageError('restore takes one .npz file');
    if (target === undefined) throw new UsageError('restore needs --output');
    const parameters = { file, target, original: text(args, 'original'), replace: flag(args, 'replace') };
    const result = await terminal.run(restore(parameters, terminal));
    terminal.emit(result);
    terminal.print(`restored ${result.blobs} blobs; wrote ${result.target}`);
  },
};
