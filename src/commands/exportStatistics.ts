import { basename } from 'node:path';
import * as vscode from 'vscode';
import { fileNameOf, toLocalFile } from '../editor/localFile';
import { runJob } from '../editor/runJob';
import type { LayerRow } from '../protocol';
import { quantileLevels } from '../sparsity/statistics';
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
    const lines = await runJob(vscode.l10n.t('Reading {0}', name), context.log, (signal) =>
      table(context, file.path, signal),
    );
    if (!lines) return;
    await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(lines.join('\n') + '\n'));
    const blobs = lines.length - 1;
    void vscode.window.showInformationMessage(
      blobs === 1
        ? vscode.l10n.t('Statistics of 1 blob are in {0}.', fileNameOf(target))
        : vscode.l10n.t('Statistics of {0} blobs are in {1}.', blobs, fileNameOf(target)),
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
  const quote = (text: string) => (/[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);
  const lines: string[] = [];
  for await (const batch of worker.start('inspect', { path, from: 0, to: layers.length }, signal)) {
    for (const { layer, blob, statistics } of batch) {
      const { quantiles, ...single } = statistics;
      const row = layers[layer];
      if (lines.length === 0) {
        const levels = quantileLevels.map((level) => `abs_q${level}`);
        lines.push(['layer', 'type', 'blob', 'shape', ...Object.keys(single), ...levels].join(','));
      }
      const shape = row.blobs[blob].shape.join('x');
      const head = [quote(row.name), quote(row.type), blob, shape];
      lines.push([...head, ...Object.values(single), ...quantiles].join(','));
      yield { fraction: layer / layers.length, message: row.name };
    }
  }
  return lines;
}
