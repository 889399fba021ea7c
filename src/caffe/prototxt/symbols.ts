import { phrase, type Phrase } from '../../phrase';
import { netsOf, type BlobUse, type LayerText, type NetText, wire } from './netText';
import type { Prototxt, Span, TextEdit } from './tree';

/** A name in a net that other places refer to. */
export interface NetSymbol {
  kind: 'blob' | 'layer' | 'param';
  name: string;
  /** The name under the cursor, without quotes. */
  span: Span;
  net: NetText;
  /** The use of the blob, when it is one. */
  use?: BlobUse;
  layer?: LayerText;
}

/** A place where a name stands. */
export interface Occurrence extends Span {
  /** `write` where the blob is made, the layer is named, or the parameter is first named. */
  access: 'read' | 'write';
}

/** The name at an offset (its ends included), or undefined. */
export function symbolAt(prototxt: Prototxt, offset: number): NetSymbol | undefined {
  const holds = (span?: Span) => span !== undefined && span.start <= offset && offset <= span.end;
  for (const net of netsOf(prototxt)) {
    const input = net.inputs.find(({ span }) => holds(span));
    if (input) return { kind: 'blob', name: input.blob, span: input.span, net, use: input };
    const layer = net.layers.find(({ node }) => node.start <= offset && offset <= node.end);
    if (!layer) continue;
    if (holds(layer.nameSpan)) return { kind: 'layer', name: layer.name, span: layer.nameSpan!, net, layer };
    const use = [...layer.bottoms, ...layer.tops].find(({ span }) => holds(span));
    if (use) return { kind: 'blob', name: use.blob, span: use.span, net, use, layer };
    const param = layer.params.find(({ span }) => holds(span));
    if (param) return { kind: 'param', name: param.name, span: param.span, net, layer };
  }
  return undefined;
}

/** All places of a name in its net, in order: a blob through its in-place chain and all phases. */
export function occurrencesOf({ kind, name, net }: NetSymbol): Occurrence[] {
  const found: Occurrence[] = [];
  if (kind === 'blob')
    for (const { blob, span, role } of [
      ...net.inputs,
      ...net.layers.flatMap(({ bottoms, tops }) => [...bottoms, ...tops]),
    ])
      if (blob === name) found.push({ ...span, access: role === 'bottom' ? 'read' : 'write' });
  if (kind === 'layer')
    for (const layer of net.layers)
      if (layer.name === name && layer.nameSpan) found.push({ ...layer.nameSpan, access: 'write' });
  if (kind === 'param')
    for (const { span, name: shared } of net.layers.flatMap(({ params }) => params))
      if (shared === name) found.push({ ...span, access: found.length === 0 ? 'write' : 'read' });
  return found.sort((a, b) => a.start - b.start);
}

/**
 * Where a name comes from. A bottom: the tops that make the blob, one in each phase that makes it differently, past all
 * layers that work in place. A top in place: likewise. A shared parameter: where it is first named. Otherwise itself.
 */
export function definitionsOf(symbol: NetSymbol): Span[] {
  if (symbol.kind === 'param') return occurrencesOf(symbol).slice(0, 1);
  if (!symbol.use) return [symbol.span];
  const { producers } = wire(symbol.net);
  const origins = new Set<BlobUse>();
  const seen = new Set<BlobUse>();
  const pending = [symbol.use];
  for (let use = pending.pop(); use; use = pending.pop()) {
    if (seen.has(use)) continue;
    seen.add(use);
    const below = use.role === 'top' ? use.layer?.bottoms[use.index] : use;
    const sources = below?.blob === use.blob ? (producers.get(below) ?? []) : [];
    if (use.role !== 'bottom' && sources.length === 0) origins.add(use);
    pending.push(...sources);
  }
  if (origins.size > 0) return [...origins].map(({ span }) => span).sort((a, b) => a.start - b.start);
  // Nothing makes it where it is read, as in a phase that nothing feeds: then wherever it is made.
  return occurrencesOf(symbol).filter(({ access }) => access === 'write');
}

/** The layers that a layer reads from, and those that read from it, in net order. */
export function neighboursOf(net: NetText, layer: LayerText): { inputs: LayerText[]; outputs: LayerText[] } {
  const { producers, consumers } = wire(net);
  const layersOf = (uses: readonly BlobUse[], links: ReadonlyMap<BlobUse, BlobUse[]>) => {
    const found = new Set(uses.flatMap((use) => (links.get(use) ?? []).map((other) => other.layer)));
    return net.layers.filter((candidate) => found.has(candidate));
  };
  return { inputs: layersOf(layer.bottoms, producers), outputs: layersOf(layer.tops, consumers) };
}

/** The edits that give a name another one in all its places, or why that cannot be. */
export function rename(symbol: NetSymbol, name: string): TextEdit[] | { problem: Phrase } {
  if (name.trim() === '') return { problem: needsName[symbol.kind] };
  if (/["'\\\n\r]/.test(name)) return { problem: phrase`A name has no quotes, backslashes or line breaks` };
  if (name !== symbol.name && occurrencesOf({ ...symbol, name }).length > 0)
    return { problem: thereIs[symbol.kind](name) };
  return occurrencesOf(symbol).map(({ start, end }) => ({ start, end, text: name }));
}

const needsName: Readonly<Record<NetSymbol['kind'], Phrase>> = {
  blob: phrase`A blob needs a name`,
  layer: phrase`A layer needs a name`,
  param: phrase`A shared parameter needs a name`,
};

const thereIs: Readonly<Record<NetSymbol['kind'], (name: string) => Phrase>> = {
  blob: (name) => phrase`There is a blob "${name}" already`,
  layer: (name) => phrase`There is a layer "${name}" already`,
  param: (name) => phrase`There is a shared parameter "${name}" already`,
};
