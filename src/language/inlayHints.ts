import * as vscode from 'vscode';
import { findHints, readHints } from '../caffe/prototxt/hints';
import { hintFor, keptShare, ruleOfHint } from '../sparsity/hintChoices';
import { selector, type Documents } from './documents';
import { compact } from './numbers';
import type { PairedModels } from './pairedModels';
import { layerWeights } from './weights';

/** Behind each pruning hint: how many weights it leaves, and of how many. */
export function registerInlayHints(documents: Documents, pairs: PairedModels): vscode.Disposable {
  const changes = new vscode.EventEmitter<void>();
  return vscode.Disposable.from(
    changes,
    pairs.onDidChange(() => changes.fire()),
    vscode.languages.registerInlayHintsProvider(selector, {
      onDidChangeInlayHints: changes.event,
      async provideInlayHints(document, range) {
        const analysis = documents.analysis(document);
        const found = findHints(analysis.prototxt).filter(({ problems }) => problems.length === 0);
        if (found.length === 0) return [];
        const pair = await pairs.of(document);
        const hints = readHints(analysis.prototxt);
        const weights = layerWeights(analysis, pair?.model).filter(({ prunable }) => prunable > 0);
        return found.flatMap(({ span, isDefault, layer }) => {
          const position = document.positionAt(span.end);
          if (!range.contains(position)) return [];
          // The default is for layers that say nothing themselves.
          const meant = weights.filter((one) =>
            isDefault ? !hints.layers.has(one.layer.name) : one.layer.node === layer,
          );
          const rules = meant.map((one) => ruleOfHint(hintFor(hints, one.layer.name)));
          const shares = rules.map((rule) => rule && keptShare(rule));
          const total = meant.reduce((sum, { prunable }) => sum + prunable, 0);
          if (meant.length === 0 || shares.includes(undefined)) return [];
          const kept = meant.reduce((sum, { prunable }, at) => sum + shares[at]! * prunable, 0);
          const text = vscode.l10n.t('→ {0} of {1} weights', compact(Math.round(kept)), compact(total));
          const hint = new vscode.InlayHint(position, text);
          hint.paddingLeft = true;
          return [hint];
        });
      },
    }),
  );
}
