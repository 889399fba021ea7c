import * as vscode from 'vscode';
import type { SparseEncoding } from '../sparsity/recipe';

const read = (name: string): unknown => vscode.workspace.getConfiguration('caffePruner').get(name);

/** The form of sparse weights that commands write. */
export function sparseEncoding(): SparseEncoding {
  const value = read('sparseEncoding');
  return value === 'csr' || value === 'csc' ? value : 'relative';
}

/** MB that the JavaScript heap of a background process may take. */
export function workerMegabytes(): number {
  const value = read('workerMemory');
  return typeof value === 'number' && value >= 256 ? value : 2048;
}
