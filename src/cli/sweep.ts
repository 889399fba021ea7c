import { atomicWrite } from '../caffe/atomicWrite';
import { keepsWithin, type Keeps } from '../jobs/chooseKeeps';
import { chooseJointly, type JointParams } from '../jobs/joint';
import { sweep } from '../jobs/sweep';
import {
  figuresOf,
  loadSweep,
  mergeSweeps,
  saveSweep,
  sweepFile,
  type SweepResults,
} from '../jobs/sweepResults';
import { accuracyOf, lossOf } from '../jobs/tally';
import { sensitivityCsv, TUTORIAL_KEEPS } from '../sparsity/sensitivity';
import {
  type Arguments,
  type Command,
  flag,
  grouped,
  number,
  parseNumber,
  percent,
  table,
  type Terminal,
  text,
  texts,
  UsageError,
  word,
  whole,
} from './command';
import { withEngine } from './engine';
import { limitOf, testHelp, testOptions, testSource } from './testOptions';

export const sweepCommand: Command = {
  name: 'sweep',
  summary: 'Measure how sparse each layer can be, and choose keep ratios',
  help: `caffe-pruner sweep MODEL --net FILE [--data PATH] [--layer NAME=R1,R2,...]... [options]
caffe-pruner sweep --merge RESULTS... --results FILE [--tolerance D]

Prunes one layer at a time to each keep ratio and measures accuracy and loss. Results are kept while it runs; the same
command goes on where it was stopped.

${testHelp}
  --layer NAME=R,...   a layer and its keep ratios (repeatable; default: all layers, a dozen ratios each)
  --tutorial           the ratios of the well-known LeNet tutorial
  --ranking R          magnitude (default), or saliency: what the loss would lose, to second order
  --calibration PATH   data that the saliency is measured on (default: the net's training data)
  --samples N          the first N items of them (3000)
  --results FILE       where the results are kept (default: beside MODEL, as NAME.sweep.json)
  --shard I/N          measure the I-th of N parts (default results: NAME.sweep.I-of-N.json)
  --merge              put the results of shards together
  --csv FILE           write the points as a table

Choosing from the results (none of it prunes; the prune command is printed):
  --tolerance D        each layer on its own: the sparsest that loses at most D of the accuracy, such as 0.5%
  --kept R             all layers together: at most R of their weights, verified by an evaluation
  --drop D             all layers together: as sparse as loses at most D of the accuracy, verified by evaluations`,
  options: {
    ...testOptions,
    layer: { type: 'string', multiple: true },
    tutorial: { type: 'boolean' },
    ranking: { type: 'string' },
    calibration: { type: 'string' },
    samples: { type: 'string' },
    results: { type: 'string' },
    shard: { type: 'string' },
    merge: { type: 'boolean' },
    csv: { type: 'string' },
    tolerance: { type: 'string' },
    kept: { type: 'string' },
    drop: { type: 'string' },
  },
  async run(args, terminal) {
    const results = flag(args, 'merge') ? await merge(args, terminal) : await measure(args, terminal);
    show(results, terminal);
    const csv = text(args, 'csv');
    if (csv !== undefined) {
      await atomicWrite(
        csv,
        (file) => file.write(new TextEncoder().encode(sensitivityCsv(figuresOf(results.points)))),
        {
          replace: true,
        },
      );
      terminal.print(`wrote ${csv}`);
    }
    await choose(results, args, terminal);
  },
};

async function merge(args: Arguments, terminal: Terminal): Promise<SweepResults> {
  const target = text(args, 'results');
  if (args.positionals.length === 0 || target === undefined) {
    throw new UsageError('sweep --merge takes results and --results for what they come to');
  }
  const merged = mergeSweeps(await Promise.all(args.positionals.map(loadSweep)), args.positionals);
  await saveSweep(target, merged);
  terminal.print(`wrote ${target}`);
  return merged;
}

async function measure(args: Arguments, terminal: Terminal): Promise<SweepResults> {
  const model = modelOf(args);
  const shard = shardOf(args);
  const results = text(args, 'results') ?? sweepFile(model, shard);
  const params = {
    ...testSource(args),
    model,
    layers: layersOf(args),
    results,
    shard,
    limit: limitOf(args),
    ranking: word(args, 'ranking', ['magnitude', 'saliency'] as const),
    calibration: calibrationOf(args),
  };
  const measured = await withEngine(args, (engine) =>
    terminal.run(sweep(params, { signal: terminal.signal, engine })),
  );
  terminal.print(`results are kept in ${results}`);
  return measured;
}

function modelOf(args: Arguments): string {
  const [model, ...rest] = args.positionals;
  if (model === undefined || rest.length > 0) throw new UsageError('sweep takes one model');
  return model;
}

const calibrationOf = (args: Arguments) => ({
  data: text(args, 'calibration'),
  samples: whole(args, 'samples', 1),
});

function shardOf(args: Arguments): { index: number; count: number } | undefined {
  const value = text(args, 'shard');
  if (value === undefined) return undefined;
  const match = /^(\d+)\/(\d+)$/.exec(value);
  const [index, count] = match ? [Number(match[1]), Number(match[2])] : [0, 0];
  if (!(index >= 1 && index <= count)) throw new UsageError(`--shard: "${value}" is not like 1/8`);
  return { index, count };
}

function layersOf(args: Arguments): Record<string, number[]> | undefined {
  const given = texts(args, 'layer');
  if (flag(args, 'tutorial')) {
    if (given.length > 0) throw new UsageError('--tutorial and --layer exclude each other');
    return TUTORIAL_KEEPS;
  }
  if (given.length === 0) return undefined;
  return Object.fromEntries(
    given.map((item) => {
      const at = item.lastIndexOf('=');
      if (at <= 0) throw new UsageError(`--layer: "${item}" is not like ip1=0.5,0.1`);
      const keeps = item.slice(at + 1).split(',');
      return [item.slice(0, at), keeps.map((keep) => parseNumber(keep, '--layer', 0, 1))];
    }),
  );
}

function show(results: SweepResults, terminal: Terminal): void {
  const { baseline } = results;
  terminal.emit({
    baseline: { accuracy: accuracyOf(baseline), loss: lossOf(baseline) },
    points: figuresOf(results.points),
  });
  const accuracy = accuracyOf(baseline);
  const whole = `${accuracy === undefined ? '' : `${percent(accuracy)} right, `}loss ${lossOf(baseline).toFixed(5)}`;
  terminal.print(`the whole net: ${whole} on ${grouped(baseline.items)} items`);
  terminal.print(
    table(
      [
        ['layer', 'keep', 'weights kept', 'accuracy', 'loss', 'items', ''],
        ...results.points.map(({ layer, keep, kept, sums, state }) => {
          const right = accuracyOf(sums);
          return [
            layer,
            percent(keep),
            sums.items > 0 ? grouped(kept) : '',
            right === undefined ? '' : percent(right),
            sums.items > 0 ? lossOf(sums).toFixed(5) : '',
            grouped(sums.items),
            state === 'measured' ? '' : state,
          ];
        }),
      ],
      new Set([1, 2, 3, 4, 5]),
    ),
  );
}

async function choose(results: SweepResults, args: Arguments, terminal: Terminal): Promise<void> {
  const tolerance = number(args, 'tolerance', 0, 1);
  if (tolerance !== undefined) {
    const keeps = keepsWithin(results, tolerance);
    terminal.emit({ choice: { tolerance, keeps } });
    terminal.print(`\neach layer on its own within ${percent(tolerance)}:\n${pruneWith(results, keeps)}`);
  }
  const kept = number(args, 'kept', 0, 1);
  const drop = number(args, 'drop', 0, 1);
  const goals: JointParams['goal'][] = [];
  if (kept !== undefined) goals.push({ kept });
  if (drop !== undefined) goals.push({ drop });
  for (const goal of goals) {
    const params = {
      ...testSource(args),
      model: results.model.file,
      results,
      goal,
      limit: limitOf(args),
      calibration: calibrationOf(args),
    };
    const choice = await withEngine(args, (engine) =>
      terminal.run(chooseJointly(params, { signal: terminal.signal, engine })),
    );
    terminal.emit({ choice: { ...goal, ...choice } });
    const wanted =
      'kept' in goal ? `at most ${percent(goal.kept)} of the weights` : `at most ${percent(goal.drop)} lost`;
    const measured = choice.accuracy === undefined ? '' : `${percent(choice.accuracy)} right, `;
    terminal.print(
      `\nall layers together, ${wanted}${choice.met ? '' : ' (not met by any step that was measured)'}:\n` +
        `${percent(choice.kept)} of the weights, ${measured}loss ${choice.loss.toFixed(5)} as evaluated ` +
        `(lost: ${percent(choice.drop)}; expected from the single layers: ${percent(choice.expectedDrop)})\n` +
        pruneWith(results, choice.keeps),
    );
  }
}

/** The command that prunes so. */
const pruneWith = ({ model }: SweepResults, keeps: Keeps) =>
  `caffe-pruner prune ${model.file} ${Object.entries(keeps)
    .filter(([, keep]) => keep < 1)
    .map(([layer, keep]) => `--layer ${layer}=${keep}`)
    .join(' ')}`;
