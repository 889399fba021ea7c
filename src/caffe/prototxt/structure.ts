import { netsOf, type LayerText, type NetText } from './netText';
import { indentOf, lineOf, type MessageNode, type Prototxt, type Span } from './tree';

/** An entry of the outline. */
export interface OutlineItem {
  kind: 'net' | 'layer' | 'message';
  name: string;
  /** The layer's type, and the blobs it makes. */
  detail: string;
  span: Span;
  /** What to select: the name, where there is one. */
  selection: Span;
  layer?: LayerText;
  children: OutlineItem[];
}

/** The outline of a file: its layers with their messages, those of nets inside a solver below their net. */
export function outline(prototxt: Prototxt): OutlineItem[] {
  const nets = new Map(netsOf(prototxt).map((net) => [net.node, net]));
  const net = nets.get(prototxt.root);
  const layers = new Map(net?.layers.map((layer) => [layer.node, layer]));
  const items: OutlineItem[] = [];
  for (const field of prototxt.root.fields)
    for (const value of field.values) {
      if (value.kind !== 'message') continue;
      const layer = layers.get(value);
      if (layer) items.push(layerItem(layer));
      else items.push(messageItem(value, nets.get(value)));
    }
  return items;
}

function layerItem(layer: LayerText): OutlineItem {
  const span = {
    start: layer.node.field!.list ? layer.node.start : layer.node.field!.start,
    end: layer.node.end,
  };
  const tops = layer.tops.map(({ blob }) => blob).join(', ');
  return {
    kind: 'layer',
    name: layer.name || '(layer)',
    detail: tops && tops !== layer.name ? `${layer.type} → ${tops}` : layer.type,
    span,
    selection: layer.nameSpan ?? { start: span.start, end: layer.node.start },
    layer,
    children: messagesIn(layer.description),
  };
}

function messageItem(node: MessageNode, net?: NetText): OutlineItem {
  const field = node.field!;
  return {
    kind: net ? 'net' : 'message',
    name: field.name,
    detail: '',
    span: { start: field.list ? node.start : field.start, end: node.end },
    selection: field.list ? { start: node.start, end: node.start + 1 } : field.nameSpan,
    children: net ? net.layers.map(layerItem) : messagesIn(node),
  };
}

function messagesIn(node: MessageNode): OutlineItem[] {
  return node.fields.flatMap((field) =>
    field.values.flatMap((value) => (value.kind === 'message' ? [messageItem(value)] : [])),
  );
}

/** Lines that fold, counted from 0; the last one is the last that is hidden. */
export interface Fold {
  kind: 'message' | 'comment' | 'group';
  startLine: number;
  endLine: number;
}

/**
 * What folds: messages over several lines (up to the line before the brace), runs of comment lines, and groups of layers:
 * a comment line at the top level with two layers or more below it, up to the next such comment.
 */
export function folds(prototxt: Prototxt): Fold[] {
  const found: Fold[] = [];
  const visit = (message: MessageNode) => {
    for (const field of message.fields)
      for (const value of field.values) {
        if (value.kind !== 'message') continue;
        const startLine = lineOf(prototxt, field.list ? value.start : field.start);
        const last = lineOf(prototxt, value.end);
        const endLine = value.closed && indentOf(prototxt, value.inner.end).first ? last - 1 : last;
        if (endLine > startLine) found.push({ kind: 'message', startLine, endLine });
        visit(value);
      }
  };
  visit(prototxt.root);
  const runs = commentRuns(prototxt);
  for (const run of runs)
    if (run.endLine > run.startLine)
      found.push({ kind: 'comment', startLine: run.startLine, endLine: run.endLine });
  return [...found, ...groups(prototxt, runs)].sort((a, b) => a.startLine - b.startLine);
}

interface Run {
  start: number;
  startLine: number;
  endLine: number;
}

/** Comments on lines of their own, one run for lines that follow each other. */
function commentRuns(prototxt: Prototxt): Run[] {
  const runs: Run[] = [];
  for (const { start } of prototxt.comments) {
    if (!indentOf(prototxt, start).first) continue;
    const line = lineOf(prototxt, start);
    const last = runs.at(-1);
    if (last && last.endLine === line - 1) last.endLine = line;
    else runs.push({ start, startLine: line, endLine: line });
  }
  return runs;
}

function groups(prototxt: Prototxt, runs: readonly Run[]): Fold[] {
  const fields = prototxt.root.fields;
  const found: Fold[] = [];
  let field = 0;
  const headings = runs.filter(({ start }) => {
    while (field < fields.length && fields[field].end <= start) field++;
    return field === fields.length || fields[field].start > start;
  });
  let next = 0;
  for (const [index, heading] of headings.entries()) {
    const end = headings[index + 1]?.start ?? prototxt.text.length;
    let layers = 0;
    let last = heading.start;
    for (; next < fields.length && fields[next].start < end; next++) {
      const { name, start } = fields[next];
      if (start < heading.start || (name !== 'layer' && name !== 'layers')) continue;
      layers++;
      last = fields[next].end;
    }
    // A run of several comment lines folds by itself already.
    if (layers >= 2 && heading.endLine === heading.startLine)
      found.push({ kind: 'group', startLine: heading.startLine, endLine: lineOf(prototxt, last) });
  }
  return found;
}
