import * as vscode from 'vscode';
import type { ModelEditor } from '../editor/modelEditor';
import { chosenFiles, type CommandContext } from './context';

/** A command that opens a model with one of its views. */
export const showView =
  (editor: ModelEditor, view: string) =>
  async (_context: CommandContext, uri?: vscode.Uri): Promise<void> => {
    const title = vscode.l10n.t('Choose a model');
    const [model] = await chosenFiles(uri, undefined, ['caffemodel', 'caffemodel.h5'], title);
    if (model) await editor.show(model, view);
  };
