import * as vscode from 'vscode';
import { findHints } from '../caffe/prototxt/hints';
import { CaffeError } from '../caffe/errors';
import { fitOf } from '../caffe/pairing';
import type { Span } from '../caffe/prototxt/tree';
import { shapeText } from '../network/shapes';
import { phases, type Analysis } from './analysis';
import { debounce, languageId, rangeOf, type Documents } from './documents';
import { fileName, type PairedModel, type PairedModels } from './pairedModels';
import { weightedLayers } from './weights';

/** Something to tell about a place in the text. */
export interface Finding extends Span {
  severity: 'error' | 'warning' | 'information' | 'hint';
  message: string;
  code: string;
}

/**
 * What Caffe would refuse when it sets the net up: shapes that do not go together, wrong axes, parameters that do not fit.
 * Unknown bottoms, doubled tops and unknown types are told by the text alone and are left out here.
 */
export function shapeFindings(analysis: Analysis): Finding[] {
  const found = new Map<string, Finding>();
  const read = analysis.read();
  if (!read || !('net' in read)) return [];
  const nodes = new Map([...read.nodes].map(([layer, node]) => [`${layer.line} ${layer.name}`, node]));
  for (const phase of phases)
    for (const { message, advice, layer, line } of analysis.shapes(phase)?.errors ?? []) {
      if (/^unknown (bottom blob|layer type)|produced by multiple sources$/.test(message)) continue;
      const node = nodes.get(`${line} ${layer}`);
      if (!node) continue;
      const text = analysis.layerAt(node.start);
      const span = text?.nameSpan ?? text?.typeSpan ?? { start: node.start, end: node.start + 1 };
      const whole = advice ? `${message}. ${advice}` : message;
      found.set(`${span.start} ${whole}`, {
        start: span.start,
        end: span.end,
        severity: 'error',
        message: whole,
        code: 'shape',
      });
    }
  return [...found.values()];
}

/** Where the net and the weights that are paired with it differ, and hints that speak of what is not there. */
export function pairFindings(analysis: Analysis, pair: PairedModel): Finding[] {
  const layers = weightedLayers(analysis);
  const byName = new Map(layers.map((one) => [one.name, one.layer]));
  const { lacking, mismatches } = fitOf(layers, pair.model);
  const model = fileName(pair.uri);
  const at = (layer: string): Span | undefined => byName.get(layer)?.nameSpan;
  const found: Finding[] = [];
  for (const { layer, blob, wanted, found: shape } of mismatches) {
    const span = at(layer);
    if (!span) continue;
    const message = shape
      ? vscode.l10n.t(
          'Blob {0} of "{1}" has the shape {2} here and {3} in {4}',
          blob,
          layer,
          shapeText(wanted),
          shapeText(shape),
          model,
        )
      : vscode.l10n.t('"{0}" has a blob {1} here that {2} lacks', layer, blob, model);
    found.push({ ...span, severity: 'warning', message, code: 'weights-shape' });
  }
  const lacks = new Set(lacking);
  for (const { layer, span, hint } of findHints(analysis.prototxt)) {
    const text = layer && analysis.layerAt(layer.start);
    if (text && lacks.has(text.name) && !hint.skip)
      found.push({
        ...span,
        severity: 'warning',
        message: vscode.l10n.t('{0} has no weights of a layer "{1}" to prune', model, text.name),
        code: 'hint-weights',
      });
  }
  return found;
}

const severities: Readonly<Record<Finding['severity'], vscode.DiagnosticSeverity>> = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  information: vscode.DiagnosticSeverity.Information,
  hint: vscode.DiagnosticSeverity.Hint,
};

/** Keeps the problems of all open prototxts up to date while they are typed. */
export function registerDiagnostics(documents: Documents, pairs: PairedModels): vscode.Disposable {
  const collection = vscode.languages.createDiagnosticCollection('caffe-pruner');
  const update = async (document: vscode.TextDocument) => {
    if (document.isClosed || document.languageId !== languageId) return;
    const { version } = document;
    const analysis = documents.analysis(document);
    const show = (findings: readonly Finding[]) =>
      collection.set(
        document.uri,
        findings.map((finding) => toDiagnostic(document, finding)),
      );
    const own = [...textFindings(analysis), ...shapeFindings(analysis)];
    show(own);
    const pair = await pairs.of(document);
    if (pair && document.version === version && !document.isClosed)
      show([...own, ...pairFindings(analysis, pair)]);
  };
  const soon = debounce<vscode.TextDocument>(200, (document) => void update(document));
  const all = () => vscode.workspace.textDocuments.forEach((document) => soon.call(document));
  all();
  return vscode.Disposable.from(
    collection,
    soon,
    pairs.onDidChange(all),
    vscode.workspace.onDidOpenTextDocument((document) => soon.call(document)),
    vscode.workspace.onDidChangeTextDocument(({ document }) => soon.call(document)),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => collection.delete(uri)),
  );
}

function toDiagnostic(document: vscode.TextDocument, finding: Finding): vscode.Diagnostic {
  const diagnostic = new vscode.Diagnostic(
    rangeOf(document, finding),
    finding.message,
    severities[finding.severity],
  );
  diagnostic.source = 'Caffe';
  diagnostic.code = finding.code;
  return diagnostic;
}

/** What the text alone tells. */
function textFindings(analysis: Analysis): Finding[] {
  const { problems } = analysis.prototxt;
  const read = analysis.read();
  const found: Finding[] = problems.map((problem) => ({ ...problem, severity: 'error', code: 'syntax' }));
  if (read instanceof CaffeError) return found;
  for (const { kind, ...misfit } of read?.misfits ?? [])
    found.push({ ...misfit, severity: kind === 'unknown field' ? 'warning' : 'error', code: kind });
  return found;
}
