import * as vscode from 'vscode';
import type { Fit } from '../caffe/pairing';
import { fileName, type PairedModels } from './pairedModels';
import { percent } from './numbers';

interface Item extends vscode.QuickPickItem {
  /** What it chooses: a model, none, the best that is found; `browse` asks for a file. */
  choice: vscode.Uri | null | undefined | 'browse';
}

/** Asks which model holds the weights of a prototxt; the answer is remembered. */
export async function chooseWeights(
  pairs: PairedModels,
  document: vscode.TextDocument | undefined,
): Promise<void> {
  if (!document) return;
  const current = await pairs.of(document);
  const describe = ({ matched, lacking, mismatches, score }: Fit): string => {
    if (mismatches.length > 0)
      return mismatches.length === 1
        ? vscode.l10n.t('1 blob has another shape, in layer "{0}"', mismatches[0].layer)
        : vscode.l10n.t(
            '{0} blobs have other shapes, first in layer "{1}"',
            mismatches.length,
            mismatches[0].layer,
          );
    if (lacking.length > 0)
      return vscode.l10n.t(
        '{0} of the layers fit; layer "{1}" is not in the model',
        percent(score),
        lacking[0],
      );
    return matched.length === 1
      ? vscode.l10n.t('The one layer with weights fits')
      : vscode.l10n.t('All {0} layers with weights fit', matched.length);
  };
  const items = (await pairs.candidates(document)).map(({ uri, fit }): Item => ({
    label: fileName(uri),
    description: uri.path === current?.uri.path ? vscode.l10n.t('paired now') : '',
    detail: describe(fit),
    choice: uri,
  }));
  const picked = await vscode.window.showQuickPick<Item>(
    [
      ...items,
      { label: '', kind: vscode.QuickPickItemKind.Separator, choice: null },
      { label: `$(folder-opened) ${vscode.l10n.t('Browse…')}`, choice: 'browse' },
      { label: `$(search) ${vscode.l10n.t('Find by layers and shapes')}`, choice: undefined },
      { label: `$(debug-disconnect) ${vscode.l10n.t('No weights')}`, choice: null },
    ],
    { title: vscode.l10n.t('Weights of {0}', fileName(document.uri)) },
  );
  if (!picked) return;
  let { choice } = picked;
  if (choice === 'browse') {
    const files = await vscode.window.showOpenDialog({
      defaultUri: vscode.Uri.joinPath(document.uri, '..'),
      filters: { [vscode.l10n.t('Caffe models')]: ['caffemodel', 'h5'], [vscode.l10n.t('All files')]: ['*'] },
    });
    if (!files) return;
    choice = files[0];
  }
  await pairs.choose(document, choice);
}
