import { inspect } from '../jobs/inspect';
import type { BlobInspection } from '../jobs/inspect';
import { textOf } from '../phrase';
import { quantileLevels } from '../sparsity/statistics';
import { type Command, grouped, number, percent, table, UsageError } from './command';

export const inspectCommand: Command = {
  name: 'inspect',
  summary: 'Show the layers of a model with statistics of their weights',
  help: `caffe-pruner inspect MODEL [--bins N]

Reads a .caffemodel (of any age) or .caffemodel.h5 and describes every blob. With --json, one line
for each blob with its statistics and histogram, then one with the model.

  --bins N     bins of each histogram in the JSON (256)`,
  options: { bins: { type: 'string' } },
  async run(args, terminal) {
    const [file, ...rest] = args.positionals;
    if (file === undefined || rest.length > 0) throw new UsageError('inspect takes one model');
    const inspections: BlobInspection[] = [];
    const model = await terminal.run(
      inspect({ file, bins: number(args, 'bins', 1, 65536) }, terminal),
      (event) => {
        inspections.push(event.inspection);
      },
    );
    const rows = [
      ['#', 'layer', 'type', 'blob', 'shape', 'parameters', 'zeros', 'min', 'max', 'mean', 'std'],
    ];
    let parameters = 0;
    let zeros = 0;
    for (const { layer: index, blob, statistics, histogram } of inspections) {
      const layer = model.layers[index];
      const { shape } = layer.blobs[blob];
      terminal.emit({
        layer: layer.name,
        type: layer.type,
        blob,
        shape,
        statistics: {
          ...statistics,
          quantiles: Object.fromEntries(quantileLevels.map((level, i) => [level, statistics.quantiles[i]])),
        },
        histogram: { ...histogram, counts: Array.from(histogram.counts) },
      });
      parameters += statistics.count;
      zeros += statistics.count - statistics.nonZero;
      rows.push([
        String(index),
        layer.name,
        layer.type,
        String(blob),
        shape.join('×'),
        grouped(statistics.count),
        percent(1 - statistics.nonZero / statistics.count),
        ...[statistics.min, statistics.max, statistics.mean, statistics.std].map((value) =>
          value.toPrecision(4),
        ),
      ]);
    }
    terminal.emit({
      file,
      kind: model.kind,
      name: model.name,
      bytes: model.size,
      layers: model.layers.length,
      parameters,
      zeros,
      damage: model.damage.map((damage) => ({ ...damage, message: textOf(damage.message) })),
    });
    terminal.print(`${file}: ${model.kind}, net "${model.name}", ${model.layers.length} layers`);
    terminal.print(table(rows, new Set([0, 5, 6, 7, 8, 9, 10])));
    terminal.print(`${grouped(parameters)} parameters, ${percent(zeros / parameters)} zeros`);
    for (const damage of model.damage) {
      terminal.print(
        `damaged at byte ${damage.byteOffset}${damage.layer ? `, layer "${damage.layer}"` : ''}: ${textOf(damage.message)}`,
      );
    }
  },
};
