import { basename } from 'node:path';
import * as vscode from 'vscode';
import { csvOf } from '../csv';
import { fileNameOf, toLocalFile } from '../editor/localFile';
import { runJob } from '../editor/runJob';
import type { LayerRow } from '../protocol';
import { statisticsColumns } from '../sparsity/statistics';
import { chosenFiles, type CommandContext } from './context';

/** Writes the statistics of all blobs of a model as a CSV table. */
export async function exportStatistics(context: CommandContext, uri?: vscode.Uri): Promise<void> {
  const title = vscode.l10n.t('Choose a Caffe model');
  const [model] = await chosenFiles(uri, undefined, ['caffemodel', 'caffemodel.h5'], title);
  if (!model) return;
  const target = await vscode.window.showSaveDialog({
    title: vscode.l10n.t('Export statistics to'),
    defaultUri: vscode.Uri.joinPath(model, '..', `${fileNameOf(model)}.csv`),
    filters: { CSV: ['csv'] },
  });
  if (!target) return;
  const file = await toLocalFile(model);
  try {
    const name = basename(model.path);
    const rows = await runJob(vscode.l10n.t('Reading {0}', name), context.log, (signal) =>
      table(context, file.path, signal),
    );
    if (!rows) return;
    const cells = [Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row))];
    await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(csvOf(cells)));
    void vscode.window.showInformationMessage(
      rows.length === 1
        ? vscode.l10n.t('Statistics of 1 blob are in {0}.', fileNameOf(target))
        : vscode.l10n.t('Statistics of {0} blobs are in {1}.', rows.length, fileNameOf(target)),
    );
  } finally {
    await file.dispose();
  }
}

async function* table({ worker }: CommandContext, path: string, signal: AbortSignal) {
  const layers: LayerRow[] = [];
  for await (const event of worker.start('open', { path }, signal)) {
    if ('layers' in event) layers.push(...event.layers);
  }
  const rows: Record<string, string | number>[] = [];
  for await (const batch of worker.start('inspect', { path, from: 0, to: layers.length }, signal)) {
    for (const { layer, blob, statistics } of batch) {
      const { name, type, blobs } = layers[layer];
      const shape = blobs[blob].shape.join('x');
      rows.push({ layer: name, type, blob, shape, ...statisticsColumns(statistics) });
      yield { fraction: layer / layers.length, message: name };
    }
  }
  return rows;
}
