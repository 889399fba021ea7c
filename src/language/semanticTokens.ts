import * as vscode from 'vscode';
import { wire, type BlobUse } from '../caffe/prototxt/netText';
import { layerTypes } from '../network/registry';
import type { Analysis } from './analysis';
import { selector, type Documents } from './documents';

const tokenTypes = ['class', 'variable', 'parameter', 'function', 'namespace'] as const;
const tokenModifiers = ['declaration', 'modification', 'readonly'] as const;
const legend = new vscode.SemanticTokensLegend([...tokenTypes], [...tokenModifiers]);

/** A name in a net with what it stands for. */
export interface Token {
  start: number;
  length: number;
  type: (typeof tokenTypes)[number];
  modifiers: (typeof tokenModifiers)[number][];
}

/**
 * The names of a net: types of layers that are known, layers, blobs where they are made and read, and parameters that are
 * shared. What the grammar cannot tell: which strings are names, and which of them lead anywhere.
 */
export function tokensOf(analysis: Analysis): Token[] {
  const tokens: Token[] = [];
  const add = (
    span: { start: number; end: number } | undefined,
    type: Token['type'],
    ...modifiers: Token['modifiers']
  ) => {
    if (span && span.end > span.start)
      tokens.push({ start: span.start, length: span.end - span.start, type, modifiers });
  };
  for (const net of analysis.nets()) {
    const missing = new Set<BlobUse>(wire(net).missing.map(({ use }) => use));
    for (const { span } of net.inputs) add(span, 'variable', 'declaration');
    for (const layer of net.layers) {
      add(layer.nameSpan, 'function', 'declaration');
      if (layerTypes.has(layer.type)) add(layer.typeSpan, 'class');
      for (const use of layer.bottoms) if (!missing.has(use)) add(use.span, 'variable');
      for (const { span, blob } of layer.tops)
        if (layer.bottoms.some((bottom) => bottom.blob === blob)) add(span, 'variable', 'modification');
        else add(span, 'variable', 'declaration');
      for (const { span } of layer.params) add(span, 'parameter');
    }
  }
  return tokens.sort((a, b) => a.start - b.start);
}

export const registerSemanticTokens = (documents: Documents): vscode.Disposable =>
  vscode.languages.registerDocumentSemanticTokensProvider(
    selector,
    {
      provideDocumentSemanticTokens(document) {
        const builder = new vscode.SemanticTokensBuilder(legend);
        for (const { start, length, type, modifiers } of tokensOf(documents.analysis(document))) {
          const { line, character } = document.positionAt(start);
          const bits = modifiers.reduce((all, one) => all | (1 << tokenModifiers.indexOf(one)), 0);
          builder.push(line, character, length, tokenTypes.indexOf(type), bits);
        }
        return builder.build();
      },
    },
    legend,
  );
