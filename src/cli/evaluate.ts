import { basename } from 'node:path';
import { evaluate, type Evaluation } from '../jobs/evaluate';
import { type Command, flag, grouped, percent, table, UsageError } from './command';
import { withEngine } from './engine';
import { limitOf, testHelp, testOptions, testSource } from './testOptions';
import { textOf } from '../phrase';

export const evaluateCommand: Command = {
  name: 'evaluate',
  summary: 'Measure the accuracy and loss of models on data, side by side',
  help: `caffe-pruner evaluate MODEL... --net FILE [--data PATH] [options]

Runs the net over its data once for each model (.caffemodel, .caffemodel.h5 or pruned .npz); the first is the
baseline. The results are also kept in the recipes beside pruned models.

${testHelp}
  --classes            the accuracy of each class
  --confusion          the confusion matrix: a row for each label, a column for each answer`,
  options: { ...testOptions, classes: { type: 'boolean' }, confusion: { type: 'boolean' } },
  async run(args, terminal) {
    const { positionals: models } = args;
    if (models.length === 0) throw new UsageError('evaluate takes one or more models');
    const params = { ...testSource(args), models, limit: limitOf(args) };
    const result = await withEngine(args, (engine) =>
      terminal.run(evaluate(params, { signal: terminal.signal, engine })),
    );
    terminal.emit(result);
    const { evaluations } = result;
    terminal.print(`${result.net} on ${result.data} (${result.engine})`);
    terminal.print(figures(evaluations));
    for (const { model, missing } of evaluations) {
      if (missing.length > 0) terminal.print(`warning: ${model} has no weights for ${missing.join(', ')}`);
    }
    if (flag(args, 'classes')) terminal.print(`\n${classes(evaluations)}`);
    if (flag(args, 'confusion')) {
      for (const { model, confusion } of evaluations) {
        if (confusion !== undefined) terminal.print(`\n${basename(model)}\n${matrix(confusion)}`);
      }
    }
    for (const file of result.keptIn) terminal.print(`kept in ${file}`);
    if (result.notKept !== undefined)
      terminal.print(`warning: the figures are not kept: ${textOf(result.notKept)}`);
  },
};

function figures(evaluations: readonly Evaluation[]): string {
  const [first] = evaluations;
  // A net with one loss gives it as an output too.
  const outputs = Object.keys(first.outputs).filter((name) => first.outputs[name] !== first.loss);
  const numeric = outputs.length + 5;
  return table(
    [
      ['model', 'items', 'loss', 'top-1', 'top-5', ...outputs, 'items/s'],
      ...evaluations.map(({ model, items, loss, top1, top5, outputs: values, seconds }) => [
        basename(model),
        grouped(items),
        loss?.toFixed(5) ?? '',
        top1 === undefined ? '' : percent(top1),
        top5 === undefined ? '' : percent(top5),
        ...outputs.map((name) => values[name].toFixed(5)),
        grouped(Math.round(items / seconds)),
      ]),
    ],
    new Set(Array.from({ length: numeric }, (_, i) => i + 1)),
  );
}

function classes(evaluations: readonly Evaluation[]): string {
  const labels = evaluations[0].classes ?? [];
  return table(
    [
      ['class', 'items', ...evaluations.map(({ model }) => basename(model))],
      ...labels.map(({ items }, label) => [
        String(label),
        grouped(items),
        ...evaluations.map((evaluation) => {
          const { items: count, right } = evaluation.classes?.[label] ?? { items: 0, right: 0 };
          return percent(right / count);
        }),
      ]),
    ],
    new Set([0, 1, ...evaluations.map((_, i) => i + 2)]),
  );
}

function matrix(confusion: readonly (readonly number[])[]): string {
  const labels = confusion.map((_, label) => String(label));
  return table(
    [
      ['', ...labels],
      ...confusion.map((row, label) => [
        String(label),
        ...row.map((count) => (count > 0 ? String(count) : '·')),
      ]),
    ],
    new Set([0, ...labels.map((_, i) => i + 1)]),
  );
}
