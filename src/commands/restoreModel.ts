import { basename, dirname, join } from 'node:path';
import { stat } from 'node:fs/promises';
import * as vscode from 'vscode';
import { modelName } from '../caffe/modelName';
import { openModel } from '../editor/pruning';
import { runJob } from '../editor/runJob';
import { chosenFiles, type CommandContext, isOnDisk } from './context';

/** Turns a sparse .npz back into a dense model: into a copy of the model that was pruned, or standalone. */
export async function restoreModel(context: CommandContext, uri?: vscode.Uri): Promise<void> {
  const title = vscode.l10n.t('Choose a sparse model');
  const [sparse] = (await chosenFiles(uri, undefined, ['npz'], title)).filter(isOnDisk);
  if (!sparse) return;
  const file = sparse.fsPath;
  const original = await askOriginal(file);
  if (original === 'cancelled') return;
  const extension = original?.toLowerCase().endsWith('.h5') ? '.caffemodel.h5' : '.caffemodel';
  const target = await vscode.window.showSaveDialog({
    title: vscode.l10n.t('Restore to'),
    defaultUri: vscode.Uri.file(`${stemOf(file)}.restored${extension}`),
    filters: { [vscode.l10n.t('Caffe Model')]: ['caffemodel', 'h5'] },
  });
  if (!target) return;
  // The dialog has asked whether to replace what is there.
  const params = { file, target: target.fsPath, original, replace: true };
  const result = await runJob(vscode.l10n.t('Restoring {0}', basename(file)), context.log, (signal) =>
    context.worker.start('restore', params, signal),
  );
  if (!result) return;
  const open = vscode.l10n.t('Open Model');
  const name = basename(result.target);
  const message =
    result.blobs === 1
      ? vscode.l10n.t('Restored 1 blob to {0}.', name)
      : vscode.l10n.t('Restored {0} blobs to {1}.', result.blobs, name);
  if ((await vscode.window.showInformationMessage(message, open)) === open) {
    await openModel(vscode.Uri.file(result.target));
  }
}

/** The model into a copy of which the weights go; undefined: none, the .npz is enough. */
async function askOriginal(file: string): Promise<string | undefined | 'cancelled'> {
  const near = await originalBeside(file);
  interface Item extends vscode.QuickPickItem {
    original?: string;
    browse?: boolean;
  }
  const items: Item[] = [
    ...(near
      ? [
          {
            label: vscode.l10n.t('Into a Copy of {0}', basename(near)),
            detail: vscode.l10n.t(
              'Everything but the weights stays as it was: the result is the pruned model to the byte',
            ),
            original: near,
          },
        ]
      : []),
    {
      label: vscode.l10n.t('Into a Copy of Another Model…'),
      detail: vscode.l10n.t('The model that was pruned, where it is now'),
      browse: true,
    },
    {
      label: vscode.l10n.t('Standalone'),
      detail: vscode.l10n.t('From the sparse file alone: names, types and weights of the layers'),
    },
  ];
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t('Restore {0}', basename(file)),
    matchOnDetail: true,
  });
  if (!picked) return 'cancelled';
  if (!picked.browse) return picked.original;
  const [chosen] =
    (await vscode.window.showOpenDialog({
      title: vscode.l10n.t('Choose the model that was pruned'),
      defaultUri: vscode.Uri.file(dirname(file)),
    })) ?? [];
  return chosen ? chosen.fsPath : 'cancelled';
}

/** The model that the recipe beside the .npz names, or the one with the same name, when it is there. */
async function originalBeside(file: string): Promise<string | undefined> {
  const stem = stemOf(file);
  const near = [`${stem}.caffemodel`, `${stem}.caffemodel.h5`];
  try {
    const recipe = vscode.Uri.file(file.replace(/\.npz$/i, '.json'));
    const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(recipe));
    const { input } = JSON.parse(text) as { input?: { file?: unknown } };
    if (typeof input?.file === 'string') near.unshift(join(dirname(file), basename(input.file)));
  } catch {
    // No recipe, or one that says nothing.
  }
  for (const path of near) {
    if (
      await stat(path).then(
        (found) => found.isFile(),
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

/** The path of the model that a sparse file was made of, without extension. */
const stemOf = (sparse: string): string => modelName(sparse.replace(/\.npz$/i, '')).stem;
