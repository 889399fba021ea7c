import { readSolverFile } from '../jobs/netFile';
import type { Job, Progress } from '../jobs/job';
import { train, type TrainEvent } from '../jobs/train';
import type { Figures, TrainingSource } from '../jobs/trainer';
import { textOf } from '../phrase';
import { type Arguments, type Command, number, percent, type Terminal, text, UsageError } from './command';
import { engineHelp, engineOptions, withEngine } from './engine';

/** The options that say what is trained on. */
export const trainingOptions = {
  'train-data': { type: 'string' },
  'test-data': { type: 'string' },
  'hold-out': { type: 'string' },
  ...engineOptions,
} as const;

export const trainingHelp = `  --train-data PATH    train on these data instead of what the net names (LMDB, LevelDB, idx, list)
  --test-data PATH     test on these
  --hold-out N         keep the last N training items for choosing; the test data choose nothing
${engineHelp}`;

/** Reads the solver and what the options say of the data. */
export async function trainingSource(args: Arguments, solverFile: string): Promise<TrainingSource> {
  return {
    solverFile,
    solver: await readSolverFile(solverFile),
    trainData: text(args, 'train-data'),
    testData: text(args, 'test-data'),
    holdOut: number(args, 'hold-out', 0),
    workspaceFolders: [process.cwd()],
  };
}

export const figuresText = ({ items, loss, accuracy }: Figures): string =>
  `${accuracy === undefined ? '' : `accuracy ${percent(accuracy)}, `}loss ${loss.toPrecision(4)} on ${items} items`;

/** Runs a job of training; when it is cancelled, tells how to go on. */
export async function runTraining<Event extends Progress & { checkpoint?: string }, Result>(
  terminal: Terminal,
  job: Job<Event, Result>,
  onEvent: (event: Event) => void,
): Promise<Result> {
  let checkpoint: string | undefined;
  try {
    return await terminal.run(job, (event) => {
      checkpoint = event.checkpoint ?? checkpoint;
      onEvent(event);
    });
  } catch (error) {
    if (terminal.signal.aborted && checkpoint !== undefined) {
      terminal.print(`What was done until the last checkpoint is kept: go on with --resume ${checkpoint}`);
    }
    throw error;
  }
}

export const trainCommand: Command = {
  name: 'train',
  summary: 'Train a net as its solver says, from scratch or from where a snapshot stopped',
  help: `caffe-pruner train SOLVER [--resume STATE | --weights MODEL] [options]

Trains as "caffe train" does. Writes <prefix>_iter_<n>.caffemodel and .solverstate,
with .h5 at the end where the solver's snapshot_format is HDF5.

  --resume STATE       go on from a .solverstate or .solverstate.h5 (of Caffe, or of this program)
  --weights MODEL      begin with the weights of a model
  --iterations N       stop after N iterations altogether, instead of the solver's max_iter
  --prefix PATH        beginning of the names of what is written, instead of snapshot_prefix
${trainingHelp}`,
  options: {
    ...trainingOptions,
    resume: { type: 'string' },
    weights: { type: 'string' },
    iterations: { type: 'string' },
    prefix: { type: 'string' },
  },
  async run(args, terminal) {
    const [solverFile, ...rest] = args.positionals;
    if (solverFile === undefined || rest.length > 0) throw new UsageError('train takes one solver.prototxt');
    const parameters = {
      ...(await trainingSource(args, solverFile)),
      resume: text(args, 'resume'),
      weights: text(args, 'weights'),
      iterations: number(args, 'iterations', 0),
      prefix: text(args, 'prefix'),
    };
    const result = await withEngine(args, (engine) =>
      runTraining(terminal, train(parameters, { ...terminal, engine }), (event: TrainEvent) => {
        terminal.emit({ ...event, message: textOf(event.message) });
        if (event.test) terminal.print(`iteration ${event.iteration}: ${figuresText(event.test)}`);
      }),
    );
    terminal.emit(result);
    terminal.print(
      `${result.iterations} iterations in ${result.seconds.toFixed(0)} s; wrote ${result.model}`,
    );
  },
};
