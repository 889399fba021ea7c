import * as vscode from 'vscode';
import { readHints } from '../caffe/prototxt/hints';
import { hintFor, keptShare, ruleOfHint } from '../sparsity/hintChoices';
import { rangeOf, selector, type Documents } from './documents';
import { compact, percent } from './numbers';
import type { PairedModels } from './pairedModels';
import { layerWeights, type LayerWeights } from './weights';

/**
 * Above each layer with weights: how many there are, what its hint leaves, and the ways to the weights and to pruning.
 */
export function registerLenses(documents: Documents, pairs: PairedModels): vscode.Disposable {
  const changes = new vscode.EventEmitter<void>();
  return vscode.Disposable.from(
    changes,
    pairs.onDidChange(() => changes.fire()),
    vscode.languages.registerCodeLensProvider(selector, {
      onDidChangeCodeLenses: changes.event,
      async provideCodeLenses(document) {
        const pair = await pairs.of(document);
        const analysis = documents.analysis(document);
        const hints = readHints(analysis.prototxt);
        return layerWeights(analysis, pair?.model)
          .filter(({ prunable }) => prunable > 0)
          .flatMap((weights) => {
            const { node, name } = weights.layer;
            const range = rangeOf(document, node.field?.nameSpan ?? node);
            const lens = (title: string, command: string, ...args: unknown[]) =>
              new vscode.CodeLens(range, { title, command, arguments: args });
            const title = describe(weights, ruleOfHint(hintFor(hints, name)));
            return pair && weights.model
              ? [
                  lens(title, 'caffePruner.openWeights', pair.uri, 'weights', name),
                  lens(vscode.l10n.t('Prune…'), 'caffePruner.openWeights', pair.uri, 'prune', name),
                  lens(vscode.l10n.t('Sweep…'), 'caffePruner.openWeights', pair.uri, 'sweep', name),
                ]
              : [lens(title, 'caffePruner.chooseWeights', document.uri)];
          });
      },
    }),
  );
}

/** `430 k weights · keep 8 % → 34 k`. */
export function describe({ prunable }: LayerWeights, rule: ReturnType<typeof ruleOfHint>): string {
  const count = vscode.l10n.t('{0} weights', compact(prunable));
  if (!rule) return count;
  const share = keptShare(rule);
  if (share !== undefined)
    return `${count} · ${vscode.l10n.t('keep {0} → {1}', percent(share), compact(Math.round(share * prunable)))}`;
  if (rule.method === 'threshold') return `${count} · |w| > ${rule.threshold}`;
  return rule.method === 'std' ? `${count} · |w| > ${rule.factor} σ` : count;
}
