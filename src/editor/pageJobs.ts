import * as vscode from 'vscode';
import type { HintEntry, ModelHints, PageJobs } from '../protocol';
import { type Plan, saliencyFileOf } from '../sparsity/recipe';
import type { JobHandlers } from '../rpc';
import type { WorkerClient } from '../worker/client';
import { fileNameOf } from './localFile';
import type { ModelDocument } from './modelEditor';
import { findOrigin } from './origin';
import { askExisting, offerResult } from './pruning';
import { runJobs } from './runJobs';

/** Where the pruning hints of models are read and written. */
export interface HintKeeper {
  readonly onDidChange: vscode.Event<void>;
  of(model: vscode.Uri): Promise<ModelHints | undefined>;
  /** @returns the name of the file that has them now; undefined when there is none, or the user thought better of it */
  write(model: vscode.Uri, hints: readonly HintEntry[]): Promise<string | undefined>;
}

/** What the extension does for a model's page: one entry for each job of the table. */
export function pageJobs(
  document: ModelDocument,
  /** `viewer` answers what is shown; `laborer` does what takes long and writes files. */
  { viewer: worker, laborer }: { viewer: WorkerClient; laborer: WorkerClient },
  hints: HintKeeper,
): JobHandlers<PageJobs> {
  let originalPath: string | undefined;
  const model = async () => ({ path: await document.path() });
  /** A file beside the model that the user chooses. */
  const askTarget = async (name: string) => {
    const { scheme } = document.uri;
    return vscode.window.showSaveDialog({
      defaultUri: scheme === 'file' ? vscode.Uri.joinPath(document.uri, '..', name) : undefined,
    });
  };
  const save = async (name: string, bytes: Uint8Array) => {
    const target = await askTarget(name);
    if (!target) return undefined;
    await vscode.workspace.fs.writeFile(target, bytes);
    return fileNameOf(target);
  };
  return {
    ...runJobs(document.runs),
    async *open({ again }, { signal }) {
      yield* worker.start('open', { path: await document.path(again) }, signal);
    },
    async *inspect(params, { signal }) {
      yield* worker.start('inspect', { ...params, ...(await model()) }, signal);
    },
    async *histogram(params, { signal }) {
      return yield* worker.start('histogram', { ...params, ...(await model()) }, signal);
    },
    async *picture(params, { signal }) {
      return yield* worker.start('picture', { ...params, ...(await model()) }, signal);
    },
    async *saveBlob({ name, ...place }, { signal }) {
      const target = await askTarget(name);
      if (!target) return undefined;
      // The save dialog has asked whether to replace what is there.
      const params = { ...place, ...(await model()), target: target.fsPath, replace: true };
      yield* worker.start('exportNpy', params, signal);
      return fileNameOf(target);
    },
    async *saveText({ name, text }) {
      yield* [];
      return save(name, new TextEncoder().encode(text));
    },
    async *saveBytes({ name, base64 }) {
      yield* [];
      return save(name, Buffer.from(base64, 'base64'));
    },
    async *copyText({ text }) {
      yield* [];
      await vscode.env.clipboard.writeText(text);
    },
    async *tryPruning(plan, { signal }) {
      const file = await document.path();
      yield* worker.start('tryPruning', { ...planOf(plan, file), file }, signal);
    },
    async *prune(plan, { signal }) {
      if (!vscode.workspace.isTrusted) throw new Error('The workspace is not trusted.');
      const file = document.uri.fsPath;
      const existing = await askExisting(worker, file);
      if (!existing) return undefined;
      const result = yield* laborer.start('prune', { ...planOf(plan, file), file, existing }, signal);
      void offerResult(result);
      return result;
    },
    async *hints() {
      yield* [];
      return hints.of(document.uri);
    },
    async *writeHints(params) {
      yield* [];
      return hints.write(document.uri, params.hints);
    },
    async *origin(_params, { signal }) {
      yield* [];
      if (document.uri.scheme !== 'file') return undefined;
      const origin = await findOrigin(await document.path(), worker, signal);
      originalPath = origin?.available ? origin.path : undefined;
      return origin && { ...origin, path: undefined };
    },
    async *inspectOriginal(params, { signal }) {
      if (originalPath === undefined) throw new Error('There is no original to look at.');
      yield* worker.start('inspect', { ...params, path: originalPath }, signal);
    },
    async *watch(_params, { signal }) {
      let wake: (() => void) | undefined;
      const queue: PageJobs['watch']['event'][] = document.request ? [document.request] : [];
      const push = (event: PageJobs['watch']['event']) => {
        queue.push(event);
        wake?.();
      };
      const subscription = vscode.Disposable.from(
        document.onEvent(push),
        // Hints that cannot be read now tell of themselves by their next change.
        hints.onDidChange(() =>
          hints.of(document.uri).then(
            (found) => push({ kind: 'hints', hints: found }),
            () => undefined,
          ),
        ),
      );
      signal.addEventListener('abort', () => wake?.(), { once: true });
      try {
        while (!signal.aborted) {
          if (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
          yield* queue.splice(0);
        }
      } finally {
        subscription.dispose();
      }
    },
  };
}

/** The plan of a page as the jobs take it. */
const planOf = <PlanOfPage extends { bySaliency: boolean }>(
  { bySaliency, ...plan }: PlanOfPage,
  model: string,
): Omit<PlanOfPage, 'bySaliency'> & Pick<Plan, 'saliency'> =>
  bySaliency ? { ...plan, saliency: { file: saliencyFileOf(model) } } : plan;
