import { availableParallelism } from 'node:os';
import * as vscode from 'vscode';
import type { Computing } from '../protocol';
import { hasTensorflow } from '../tensor/native';

/** Folder into which native TensorFlow is installed; set when the extension starts. */
let folder = '';

export const setTensorflowFolder = (path: string): void => {
  folder = path;
};
export const tensorflowFolder = (): string => folder;

const kind = (): 'portable' | 'native' =>
  vscode.workspace.getConfiguration('caffePruner').get('engine') === 'native' ? 'native' : 'portable';

/** The engine that the settings choose, as jobs take it. */
export const engineOptions = (): Computing['engine'] => ({ kind: kind(), tensorflowFolder: folder });

/** Its name before it runs. */
export const engineName = (): string =>
  kind() === 'native'
    ? hasTensorflow(folder)
      ? vscode.l10n.t('native TensorFlow')
      : vscode.l10n.t('native TensorFlow, which is not installed: run “Install Native TensorFlow Engine”')
    : vscode.l10n.t('portable (WebAssembly, {0} cores)', availableParallelism());
