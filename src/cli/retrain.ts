import { openFile } from '../caffe/byteSource';
import { openModel } from '../caffe/model';
import { retrain, type RetrainParameters } from '../jobs/retrain';
import type { Achieved, RetrainEvent } from '../jobs/retrainSession';
import type { AutoSchedule, Schedule } from '../jobs/schedule';
import { textOf } from '../phrase';
import { choicesFor } from '../sparsity/recipe';
import { type Arguments, type Command, grouped, number, percent, text, UsageError, word } from './command';
import { encodingOf, existingOf, layerRatios, pruningHelp, pruningOptions } from './pruningOptions';
import { withEngine } from './engine';
import { figuresText, runTraining, trainingHelp, trainingOptions, trainingSource } from './train';

export const retrainCommand: Command = {
  name: 'retrain',
  summary: 'Prune a model while it is trained, until the accuracy is back',
  help: `caffe-pruner retrain MODEL --solver SOLVER --iterations N --keep RATIO [--layer NAME=RATIO]... [options]
caffe-pruner retrain MODEL --solver SOLVER --iterations N --auto TOLERANCE

Writes MODEL's name with .pruned.caffemodel, .pruned.npz and .pruned.json, which tells the whole history.
Checkpoints (.retraining_iter_N.caffemodel and .solverstate) let an interrupted run go on.

  --solver SOLVER      the solver.prototxt: rates, momentum, decay and the net with its data
  --iterations N       iterations altogether
  --keep RATIO         share of each layer's weights that stays; 0.1 or 10%
  --layer NAME=RATIO   another share for one layer (repeatable)
  --schedule S         one-shot, iterative, gradual (default) or splicing
  --rounds N           rounds of the iterative schedule (20)
  --interval N         iterations between two prunings of gradual and splicing (100)
  --auto TOLERANCE     as sparse as possible at no more than this loss of accuracy; 0.1% is 0.1 points
  --per-round N        with --auto: iterations to regain the accuracy in (1000)
  --baseline MODEL     model whose accuracy is the aim, instead of MODEL itself
  --measure-every N    iterations between two measurements and checkpoints
  --resume STATE       go on from the checkpoint of an interrupted run
${pruningHelp}
${trainingHelp}`,
  options: {
    ...pruningOptions,
    ...trainingOptions,
    solver: { type: 'string' },
    iterations: { type: 'string' },
    keep: { type: 'string' },
    schedule: { type: 'string' },
    rounds: { type: 'string' },
    interval: { type: 'string' },
    auto: { type: 'string' },
    'per-round': { type: 'string' },
    baseline: { type: 'string' },
    'measure-every': { type: 'string' },
    resume: { type: 'string' },
  },
  async run(args, terminal) {
    const [file, ...rest] = args.positionals;
    if (file === undefined || rest.length > 0) throw new UsageError('retrain takes one model');
    const solver = text(args, 'solver');
    const iterations = number(args, 'iterations', 1);
    if (solver === undefined || iterations === undefined) {
      throw new UsageError('retrain needs --solver and --iterations');
    }
    const schedule = scheduleOf(args);
    const parameters: RetrainParameters = {
      ...(await trainingSource(args, solver)),
      file,
      iterations,
      schedule,
      choices: await choicesOf(args, file, schedule.kind === 'auto'),
      baseline: text(args, 'baseline'),
      measureEvery: number(args, 'measure-every', 1),
      resume: text(args, 'resume'),
      encoding: encodingOf(args),
      existing: existingOf(args),
    };
    const { outputs, report, recipe, warnings, seconds } = await withEngine(args, (engine) =>
      runTraining(terminal, retrain(parameters, { ...terminal, engine }), (event: RetrainEvent) => {
        terminal.emit({ ...event, message: textOf(event.message) });
        const { baseline, measurement } = event;
        if (baseline) terminal.print(`baseline: ${achievedText(baseline)}`);
        if (!measurement) return;
        const { iteration, keep } = measurement;
        terminal.print(`iteration ${iteration}: ${percent(keep)} kept; ${achievedText(measurement)}`);
      }),
    );
    terminal.emit({ outputs, report, seconds });
    const { count, zerosAfter } = recipe.totals;
    for (const { layer, kept, count: weights } of report.best.layers) {
      terminal.print(`  ${layer}: ${grouped(kept)} of ${grouped(weights)} (${percent(kept / weights)})`);
    }
    for (const warning of warnings) terminal.print(`warning: ${textOf(warning)}`);
    const { iteration } = report.best;
    terminal.print(
      `best, of iteration ${iteration}: ${achievedText(report.best)}; ${grouped(count - zerosAfter)} of ${grouped(count)} parameters (${percent(1 - zerosAfter / count)}) are left`,
    );
    terminal.print(`wrote ${outputs.dense} after ${(seconds / 60).toFixed(1)} minutes`);
  },
};

const achievedText = ({ validation, test }: Achieved): string =>
  [
    ...(validation ? [`validation ${figuresText(validation)}`] : []),
    ...(test ? [`test ${figuresText(test)}`] : []),
  ].join('; ');

function scheduleOf(args: Arguments): Schedule | AutoSchedule {
  const tolerance = number(args, 'auto', 0, 1);
  if (tolerance !== undefined) {
    return { kind: 'auto', tolerance, perRound: number(args, 'per-round', 1) ?? 1000 };
  }
  const interval = number(args, 'interval', 1) ?? 100;
  switch (word(args, 'schedule', ['one-shot', 'iterative', 'gradual', 'splicing'] as const)) {
    case 'one-shot':
      return { kind: 'oneShot' };
    case 'iterative':
      return { kind: 'iterative', rounds: number(args, 'rounds', 1) ?? 20 };
    case 'splicing':
      return { kind: 'splicing', interval };
    default:
      return { kind: 'gradual', interval };
  }
}

async function choicesOf(
  args: Arguments,
  file: string,
  auto: boolean,
): Promise<RetrainParameters['choices']> {
  const keep = number(args, 'keep', 0, 1);
  const layers = layerRatios(args);
  if (auto ? keep !== undefined || layers.size > 0 : keep === undefined && layers.size === 0) {
    throw new UsageError(auto ? '--auto finds the ratios itself' : 'retrain needs --keep, --layer or --auto');
  }
  const source = await openFile(file);
  try {
    const all = choicesFor(await openModel(source), { method: 'keep', keep: keep ?? 1 });
    const unknown = [...layers.keys()].find((name) => !all.some(({ layer }) => layer === name));
    if (unknown !== undefined)
      throw new UsageError(`--layer: the model has no weights in a layer "${unknown}"`);
    return all
      .map(({ layer, blob }) => ({ layer, blob, keep: auto ? 0 : (layers.get(layer) ?? keep ?? 1) }))
      .filter(({ keep: ratio }) => ratio < 1);
  } finally {
    await source.close();
  }
}
