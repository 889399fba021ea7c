import * as vscode from 'vscode';
import { typeOfNode } from '../caffe/prototxt/fileKind';
import { findHints, hintMethods, hintWords } from '../caffe/prototxt/hints';
import type { LayerText } from '../caffe/prototxt/netText';
import { symbolAt } from '../caffe/prototxt/symbols';
import { fieldAt, messageAt, type Span } from '../caffe/prototxt/tree';
import { messageType, type FieldType } from '../caffe/schema';
import { layersByName } from '../caffe/pairing';
import { translated } from '../editor/translated';
import { shapeText } from '../network/shapes';
import { count } from '../network/shape';
import type { Analysis } from './analysis';
import { rangeOf, selector, type Documents } from './documents';
import { histogramSvg, svgUri } from './histogramPicture';
import type { BlobFigures } from '../protocol';
import type { WorkerClient } from '../worker/client';
import { layerKinds } from '../caffe/layerCatalogue';
import { bytes, compact, percent } from './numbers';
import { fileName, type PairedModel, type PairedModels } from './pairedModels';

/** Hovers: what a field means, what a layer computes and holds, which shape a blob has. */
export const registerHover = (
  documents: Documents,
  pairs: PairedModels,
  worker: WorkerClient,
): vscode.Disposable =>
  vscode.languages.registerHoverProvider(selector, {
    async provideHover(document, position, token) {
      const analysis = documents.analysis(document);
      const offset = document.offsetAt(position);
      const found =
        hintHover(analysis, offset) ??
        blobHover(analysis, offset) ??
        layerSpan(analysis, offset) ??
        fieldHover(analysis, offset);
      if (!found) return undefined;
      const range = rangeOf(document, found.span);
      if (!('layer' in found)) return new vscode.Hover(found.text, range);
      const parts = [layerText(analysis, found.layer)];
      const field = fieldHover(analysis, offset);
      if (field) parts.push(field.text);
      const pair = await pairs.of(document);
      const index = pair && layersByName(pair.model).get(found.layer.name)?.index;
      if (pair && index !== undefined) {
        const figures = await figuresOf(worker, pair, index, token);
        if (figures.length > 0) parts.push(weightsText(pair, figures));
      }
      return new vscode.Hover(parts, range);
    },
  });

interface Found {
  span: Span;
  text: vscode.MarkdownString;
}

/** File contents in Markdown: as they are, never as markup. */
const plain = (text: string): string => text.replace(/[\\`*_{}[\]()#+\-.!|<>~&]/g, '\\$&');
const code = (text: string): string => `\`${text.replace(/`/g, 'ˋ')}\``;
const markdown = (...lines: string[]) => new vscode.MarkdownString(lines.join('\n\n'));

/** The layer whose keyword, name or type is at the offset. */
function layerSpan(analysis: Analysis, offset: number): { span: Span; layer: LayerText } | undefined {
  const layer = analysis.layerAt(offset);
  const spans = layer && [layer.node.field?.nameSpan, layer.nameSpan, layer.typeSpan];
  const span = spans?.find((one) => one && one.start <= offset && offset <= one.end);
  return layer && span ? { span, layer } : undefined;
}

function layerText(analysis: Analysis, layer: LayerText): vscode.MarkdownString {
  const kind = layerKinds.get(layer.type);
  const title = `**${plain(layer.name || vscode.l10n.t('layer'))}** · ${code(layer.type || '?')}`;
  const lines = [kind ? `${title} · ${translated(kind.doc)}${kind.fork ? ` (${kind.fork})` : ''}` : title];
  const shapes = analysis.shapesOf(layer);
  const table = (inferred: (typeof shapes)[number]['inferred']): string => {
    const row = (what: string, value: string) => `| ${what} | ${value} |`;
    const blob = (name: string, shape: readonly number[] | undefined) =>
      `${plain(name)}: ${shape ? plain(shapeText(shape)) : vscode.l10n.t('unknown')}`;
    const parameters = inferred.params.reduce((sum, shape) => sum + count(shape), 0);
    const memory = 4 * inferred.tops.reduce((sum, { shape }) => sum + (shape ? count(shape) : NaN), 0);
    return [
      '| | |',
      '| --- | --- |',
      row(
        vscode.l10n.t('Inputs'),
        inferred.layer.bottom.map((name, index) => blob(name, inferred.bottoms[index])).join('<br>') || '–',
      ),
      row(
        vscode.l10n.t('Outputs'),
        inferred.tops.map(({ name, shape }) => blob(name, shape)).join('<br>') || '–',
      ),
      ...(inferred.params.length > 0
        ? [
            row(
              vscode.l10n.t('Parameters'),
              `${compact(parameters)} (${inferred.params.map((shape) => plain(shapeText(shape))).join(', ')})`,
            ),
          ]
        : []),
      ...(inferred.plan
        ? [
            row(vscode.l10n.t('MACs'), compact(inferred.macs)),
            row(vscode.l10n.t('Memory of outputs'), bytes(memory)),
          ]
        : []),
    ].join('\n');
  };
  const tables = shapes.map(({ phase, inferred }) => ({ phase, text: table(inferred) }));
  // One table where both phases tell the same.
  if (tables.length === 2 && tables[0].text === tables[1].text) lines.push(tables[1].text);
  else for (const { phase, text } of tables) lines.push(vscode.l10n.t('In phase {0}:', phase), text);
  const result = markdown(...lines);
  result.supportHtml = true;
  return result;
}

/** Figures of the weights of a layer of a paired model; none when they cannot be had, as a hover is no place to complain. */
async function figuresOf(
  worker: WorkerClient,
  { uri, model }: PairedModel,
  index: number,
  token: vscode.CancellationToken,
): Promise<BlobFigures[]> {
  const figures: BlobFigures[] = [];
  const controller = new AbortController();
  const cancelling = token.onCancellationRequested(() => controller.abort());
  try {
    if (model.layers[index].blobs.length > 0)
      await worker.run(
        'inspect',
        { path: uri.fsPath, from: index, to: index + 1 },
        { signal: controller.signal, onEvent: (batch) => figures.push(...batch) },
      );
  } catch {
    return [];
  } finally {
    cancelling.dispose();
  }
  return figures;
}

function weightsText({ uri }: PairedModel, [weights]: readonly BlobFigures[]): vscode.MarkdownString {
  const { statistics, histogram } = weights;
  const zeros = statistics.count > 0 ? 1 - statistics.nonZero / statistics.count : 0;
  const text = vscode.l10n.t(
    '{0} weights, {1} zeros, σ = {2}',
    compact(statistics.count),
    percent(zeros),
    Number(statistics.std.toPrecision(3)),
  );
  const picture = vscode.l10n.t('Histogram of the weights, logarithmic');
  return markdown(
    `${code(fileName(uri))}: ${plain(text)}`,
    `![${picture}](${svgUri(histogramSvg(histogram))})`,
  );
}

/** The shape of a blob, and who makes it. */
function blobHover(analysis: Analysis, offset: number): Found | undefined {
  const symbol = symbolAt(analysis.prototxt, offset);
  if (symbol?.kind !== 'blob') return undefined;
  const { use, layer, name, span } = symbol;
  const lines = [`**${plain(name)}** · ${vscode.l10n.t('blob')}`];
  const shapes = layer
    ? analysis.shapesOf(layer).map(({ phase, inferred }) => ({
        phase,
        shape: use?.role === 'bottom' ? inferred.bottoms[use.index] : inferred.tops[use?.index ?? 0]?.shape,
      }))
    : (['TRAIN', 'TEST'] as const).map((phase) => ({
        phase,
        shape: analysis.shapes(phase)?.layers[0]?.tops.find((top) => top.name === name)?.shape,
      }));
  const texts = shapes.map(({ phase, shape }) => ({
    phase,
    text: shape ? `${shapeText(shape)} = ${compact(count(shape))}, ${bytes(4 * count(shape))}` : undefined,
  }));
  const known = texts.filter(({ text }) => text !== undefined);
  if (known.length === 0) lines.push(vscode.l10n.t('Its shape is not known.'));
  else if (new Set(known.map(({ text }) => text)).size === 1) lines.push(plain(known[0].text!));
  else lines.push(...known.map(({ phase, text }) => `${phase}: ${plain(text!)}`));
  return { span, text: markdown(...lines) };
}

/** What a field means, its type and default; on an enum value, what that means. */
function fieldHover(analysis: Analysis, offset: number): Found | undefined {
  const { prototxt } = analysis;
  const message = messageAt(prototxt, offset);
  const field = fieldAt(message, offset);
  const type = field && typeOfNode(message, messageType(analysis.kind()))?.fields.get(field.name);
  if (!field || !type) return undefined;
  if (offset <= field.nameSpan.end) return { span: field.nameSpan, text: markdown(heading(type), type.doc) };
  const value = field.values.find(({ start, end }) => start <= offset && offset <= end);
  if (value?.kind === 'identifier' && typeof type.type !== 'string' && type.type.kind === 'enum') {
    const name = prototxt.text.slice(value.start, value.end);
    const meaning = type.type.values.get(name);
    if (meaning) return { span: value, text: markdown(`**${name}** · ${code(type.type.name)}`, meaning.doc) };
  }
  return undefined;
}

function heading({ name, type, repeated, required, default: byDefault }: FieldType): string {
  return [
    `**${plain(name)}**`,
    code(typeof type === 'string' ? type : type.name),
    ...(repeated ? [vscode.l10n.t('repeated')] : []),
    ...(required ? [vscode.l10n.t('required')] : []),
    ...(byDefault === undefined ? [] : [`${vscode.l10n.t('default')} ${code(String(byDefault))}`]),
  ].join(' · ');
}

/** What a word of a pruning hint means. */
function hintHover({ prototxt }: Analysis, offset: number): Found | undefined {
  const hint = findHints(prototxt).find(({ span }) => span.start <= offset && offset <= span.end);
  if (!hint) return undefined;
  const { text } = prototxt;
  for (const match of text.slice(hint.body.start, hint.body.end).matchAll(/([a-z]+)(=[^\s,;]*)?/gi)) {
    const start = hint.body.start + match.index;
    const span = { start, end: start + match[0].length };
    const meaning = hintWords.get(match[1].toLowerCase());
    if (offset < span.start || offset > span.end || !meaning) continue;
    const method =
      match[1] === 'method' ? hintMethods.get((match[2] ?? '').slice(1).toLowerCase()) : undefined;
    return {
      span,
      text: markdown(
        `**${match[1]}** · ${vscode.l10n.t('pruning hint')}`,
        translated(meaning),
        ...(method ? [translated(method)] : []),
      ),
    };
  }
  return undefined;
}
