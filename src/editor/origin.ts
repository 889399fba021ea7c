import { basename, dirname, join } from 'node:path';
import { readFile, stat } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { Origin } from '../protocol';
import { parsePlan, type Recipe } from '../sparsity/recipe';
import type { WorkerClient } from '../worker/client';

/**
 * Finds out from the recipe beside a pruned model which model it was made of, and whether that one is still there: its digest
 * must be the one in the recipe.
 * @returns undefined where there is no recipe of this model
 */
export async function findOrigin(
  path: string,
  worker: WorkerClient,
  signal: AbortSignal,
): Promise<(Origin & { path: string }) | undefined> {
  const recipePath = path.replace(/\.caffemodel(\.h5)?$/i, '.json');
  const text = await readFile(recipePath, 'utf8').catch(() => undefined);
  if (recipePath === path || text === undefined) return undefined;
  let outputs: Partial<Recipe['outputs']> | undefined;
  try {
    outputs = (JSON.parse(text) as Partial<Recipe>).outputs;
  } catch {
    return undefined;
  }
  if (outputs?.dense !== basename(path)) return undefined;
  const { input, ...plan } = parsePlan(text, recipePath);
  if (typeof input?.file !== 'string') return undefined;
  // Beside the pruned model, whatever folders the recipe may name.
  const original = basename(input.file);
  const originalPath = join(dirname(path), original);
  const origin = { original, plan, path: originalPath };
  const isThere = await stat(originalPath).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isThere) {
    const problem = vscode.l10n.t('{0}, which this model was pruned from, is not beside it.', original);
    return { ...origin, available: false, problem };
  }
  const digest = await worker.run('digest', { path: originalPath }, { signal });
  if (digest === input.sha256) return { ...origin, available: true };
  const problem = vscode.l10n.t(
    '{0} is not the model that this one was pruned from: its digest differs.',
    original,
  );
  return { ...origin, available: false, problem };
}
