import { phrase, type Part } from '../../phrase';
import { layerKinds, type LayerKind } from '../layerCatalogue';
import { isMessage, messageType, type FieldType, type MessageType } from '../schema';
import { vocabularyOf } from '../vocabulary';
import { fileKind, typeOfNode } from './fileKind';
import { hintMethods, hintWords } from './hints';
import { TokenKind } from './lexer';
import { netsOf, type LayerText, type NetText } from './netText';
import { messageAt, tokenAt, type MessageNode, type Prototxt, type Span } from './tree';

/** Something that may stand at the cursor. */
export interface Completion {
  kind: 'field' | 'message' | 'layer' | 'value' | 'blob' | 'name' | 'hint';
  label: string;
  /** To the right of the label: a type, the layer that makes a blob. */
  detail: Part;
  doc: Part;
  /** What takes the place of `span`, as a snippet: `$0` and `${1:x}` are places to fill in. */
  snippet: string;
  span: Span;
  /** Smaller comes first. */
  rank: number;
  deprecated: boolean;
}

type Proposal = Pick<Completion, 'kind' | 'label' | 'snippet'> &
  Partial<Pick<Completion, 'detail' | 'doc' | 'rank' | 'deprecated'>>;

/** All that may stand at `offset`: fields of the message around it, values of its field, words of a hint. */
export function complete(prototxt: Prototxt, offset: number): Completion[] {
  const { span, proposals } = proposeAt(prototxt, offset);
  return proposals.map((proposal, index) => ({
    detail: '',
    doc: '',
    rank: index,
    deprecated: false,
    ...proposal,
    span,
  }));
}

/**
 * Whether a character that was just typed before `offset` asks for a value or a word of a hint. A quote that closes a string
 * does not, nor does a space behind a value: there a new line is meant next, which would take what is offered.
 */
export function asksForMore(prototxt: Prototxt, offset: number, character: string): boolean {
  const index = offset > 0 ? tokenAt(prototxt, offset - 1) : -1;
  if (index < 0) return false;
  const { text, tokens } = prototxt;
  const kind = tokens.kinds[index];
  if (kind === TokenKind.Comment) return true;
  if (character === '"' || character === "'")
    return kind === TokenKind.OpenString || (kind === TokenKind.String && offset < tokens.starts[index + 1]);
  return (
    character === ':' || (character === ' ' && /:\s*$/.test(text.slice(Math.max(0, offset - 200), offset)))
  );
}

function proposeAt(prototxt: Prototxt, offset: number): { span: Span; proposals: Proposal[] } {
  const { text, tokens } = prototxt;
  const index = offset > 0 ? tokenAt(prototxt, offset - 1) : -1;
  const kind = index < 0 ? TokenKind.Space : tokens.kinds[index];
  const start = index < 0 ? 0 : tokens.starts[index];
  const end = index < 0 ? 0 : tokens.starts[index + 1];
  if (kind === TokenKind.Comment) return inComment(text, start, offset);
  const quoted = kind === TokenKind.OpenString || (kind === TokenKind.String && offset < end);
  const wordStart = quoted || kind === TokenKind.Identifier || kind === TokenKind.Number ? start : offset;
  const span = quoted
    ? { start: start + 1, end: kind === TokenKind.OpenString ? offset : end - 1 }
    : { start: wordStart, end: Math.max(offset, kind === TokenKind.Identifier ? end : offset) };
  const message = messageAt(prototxt, wordStart);
  const field = fieldBefore(prototxt, wordStart, message);
  if (field === undefined)
    return { span, proposals: quoted ? [] : proposeFields(prototxt, message, wordStart) };
  const type = typeOfNode(message, messageType(fileKind(prototxt.root)));
  const fieldType = type?.fields.get(field);
  if (!type || !fieldType) return { span, proposals: [] };
  return { span, proposals: proposeValues(prototxt, message, type, fieldType, offset, quoted) };
}

/** The field whose value is to come at `start`, or undefined where a field begins. */
function fieldBefore({ text, tokens }: Prototxt, start: number, message: MessageNode): string | undefined {
  let index = start === 0 ? -1 : tokenIndexBefore(tokens.starts, tokens.count, start);
  const back = () => {
    do index--;
    while (index >= 0 && tokens.kinds[index] <= TokenKind.Comment);
  };
  const mark = () => (index >= 0 && tokens.kinds[index] === TokenKind.Mark ? text[tokens.starts[index]] : '');
  if (index >= 0 && tokens.kinds[index] <= TokenKind.Comment) back();
  if (mark() === ':') {
    back();
    return index >= 0 ? text.slice(tokens.starts[index], tokens.starts[index + 1]) : undefined;
  }
  const list = message.fields.find((field) => field.list && field.start < start && start <= field.end);
  return list && (mark() === '[' || mark() === ',') ? list.name : undefined;
}

function tokenIndexBefore(starts: Uint32Array, count: number, offset: number): number {
  let index = count - 1;
  let low = 0;
  while (low < index) {
    const middle = (low + index + 1) >> 1;
    if (starts[middle] < offset) low = middle;
    else index = middle - 1;
  }
  return index;
}

function inComment(text: string, start: number, offset: number): { span: Span; proposals: Proposal[] } {
  const written = text.slice(start, offset);
  const opened = /^#+\s*prune\s*:/i.exec(written);
  if (!opened)
    return /^#+\s*(p(r(u(ne?)?)?)?)?$/i.test(written)
      ? {
          span: { start, end: offset },
          proposals: [
            {
              kind: 'hint',
              label: '# prune:',
              snippet: '# prune: $0',
              doc: phrase`A pruning hint for this layer.`,
            },
          ],
        }
      : { span: { start: offset, end: offset }, proposals: [] };
  const word = /[^\s,;]*$/.exec(written)![0];
  const value = /^method=(.*)$/.exec(word);
  if (value)
    return {
      span: { start: offset - value[1].length, end: offset },
      proposals: [
        ...hintMethods,
        ['2:4', phrase`of each 4 consecutive input channels keep the 2 largest`] as const,
      ].map(([label, doc]) => ({ kind: 'hint', label, snippet: label, doc })),
    };
  if (word.includes('=')) return { span: { start: offset, end: offset }, proposals: [] };
  const said = new Set([...written.matchAll(/(\w+)(?:=|\b)/g)].map((match) => match[1]));
  const words: Proposal[] = [...hintWords]
    .filter(([label]) => label === word || !said.has(label))
    .map(([label, doc]) => ({ kind: 'hint', label, snippet: label === 'skip' ? label : `${label}=$0`, doc }));
  if (!said.has('default'))
    words.push({
      kind: 'hint',
      label: 'default',
      snippet: 'default ',
      doc: phrase`for all layers that have no hint`,
    });
  return { span: { start: offset - word.length, end: offset }, proposals: words };
}

function proposeFields(prototxt: Prototxt, message: MessageNode, start: number): Proposal[] {
  const root = message === prototxt.root;
  const alone = root && message.fields.every((field) => field.start === start);
  const types = alone
    ? [messageType('NetParameter'), messageType('SolverParameter')]
    : [typeOfNode(message, messageType(fileKind(prototxt.root)))];
  const set = new Set(message.fields.filter((field) => field.start !== start).map(({ name }) => name));
  const proposals = types.flatMap((type) => {
    if (!type) return [];
    const layer = type.name === 'LayerParameter' ? kindOf(prototxt, message) : undefined;
    return [...type.fields.values()]
      .filter((field) => field.repeated || !set.has(field.name))
      .map((field, index) => proposeField(field, index + farness(field, layer)));
  });
  if (types.some((type) => type?.name === 'NetParameter'))
    for (const kind of layerKinds.values()) proposals.push(proposeLayer(kind, proposals.length));
  return proposals;
}

/** Fields of other layer types come after those that this layer reads, and deprecated ones last. */
function farness(field: FieldType, layer: LayerKind | undefined): number {
  if (isDeprecated(field)) return 20_000;
  if (!layer || !field.name.endsWith('_param')) return 0;
  return layer.params.includes(field.name) ? -1000 : 10_000;
}

const isDeprecated = (field: FieldType): boolean => /\bDeprecated\b|^Old (?:name|place|form)/.test(field.doc);

function kindOf(prototxt: Prototxt, node: MessageNode): LayerKind | undefined {
  const layer = layerAt(prototxt, node);
  return layer && layerKinds.get(layer.layer.type);
}

function proposeField(field: FieldType, rank: number): Proposal {
  const message = isMessage(field.type);
  return {
    kind: message ? 'message' : 'field',
    label: field.name,
    snippet: message ? `${field.name} {\n\t$0\n}` : `${field.name}: ${valueSnippet(field)}`,
    detail: describeType(field),
    doc: field.doc,
    rank,
    deprecated: isDeprecated(field),
  };
}

const valueSnippet = ({ type }: FieldType): string => (type === 'string' || type === 'bytes' ? '"$0"' : '$0');

/** `repeated int32 = 1`: how a field is declared. */
function describeType(field: FieldType): string {
  const name = typeof field.type === 'string' ? field.type : field.type.name;
  const rule = field.repeated ? 'repeated ' : field.required ? 'required ' : '';
  const given = field.default === undefined || field.default === '' ? '' : ` = ${field.default}`;
  return `${rule}${name}${given}`;
}

function proposeLayer(kind: LayerKind, rank: number): Proposal {
  const name = kind.type.toLowerCase();
  const bottoms =
    kind.bottoms[0] === 0 ? '' : '\n\tbottom: "${8}"'.repeat(Math.max(1, Math.min(kind.bottoms[0], 3)));
  const body = kind.snippet ? `\n${indented(kind.snippet)}` : '';
  return {
    kind: 'layer',
    label: `layer ${kind.type}`,
    snippet: `layer {\n\tname: "\${9:${name}}"\n\ttype: "${kind.type}"${bottoms}\n\ttop: "\${9:${name}}"${body}\n}$0`,
    detail: kind.fork ?? '',
    doc: kind.doc,
    rank: 1000 + rank,
  };
}

/** A snippet with its lines indented by the depth of their braces, and one level more. */
function indented(snippet: string): string {
  let depth = 1;
  return snippet
    .split('\n')
    .map((line) => {
      if (line.startsWith('}')) depth--;
      const text = '\t'.repeat(depth) + line;
      if (line.endsWith('{')) depth++;
      return text;
    })
    .join('\n');
}

function proposeValues(
  prototxt: Prototxt,
  message: MessageNode,
  type: MessageType,
  field: FieldType,
  offset: number,
  quoted: boolean,
): Proposal[] {
  const text = (kind: Completion['kind'], label: string, detail: Part = '', doc: Part = ''): Proposal => ({
    kind,
    label,
    detail,
    doc,
    snippet: quoted ? escape(label) : `"${escape(label)}"`,
  });
  if (field.type === 'string') {
    if (type.name === 'LayerParameter' && field.name === 'type')
      return [...layerKinds.values()].map((kind) => text('layer', kind.type, kind.fork, kind.doc));
    const known = vocabularyOf(type.name, field.name);
    if (known) return Object.entries(known).map(([word, doc]) => text('value', word, '', doc));
    return names(prototxt, message, type, field.name, offset).map(({ name, detail }) =>
      text(field.name === 'bottom' || field.name === 'top' ? 'blob' : 'name', name, detail),
    );
  }
  if (quoted) return [];
  const plain = (label: string, doc: Part = '', detail: Part = ''): Proposal => ({
    kind: 'value',
    label,
    snippet: label,
    doc,
    detail,
  });
  if (typeof field.type !== 'string')
    return field.type.kind === 'enum'
      ? [...field.type.values].map(([name, { doc }]) =>
          plain(name, doc, name === field.default ? phrase`default` : ''),
        )
      : [
          {
            kind: 'message',
            label: '{ }',
            snippet: '{\n\t$0\n}',
            detail: field.type.name,
            doc: field.type.doc,
          },
        ];
  if (field.type === 'bool')
    return ['true', 'false'].map((value) =>
      plain(value, '', String(field.default) === value ? phrase`default` : ''),
    );
  return field.default === undefined ? [] : [plain(String(field.default), '', phrase`default`)];
}

const escape = (text: string): string => text.replace(/[\\$}]/g, '\\$&');

/** The names in the file that a string field may mean. */
function names(
  prototxt: Prototxt,
  message: MessageNode,
  type: MessageType,
  field: string,
  offset: number,
): { name: string; detail: Part }[] {
  const unique = (list: { name: string; detail: Part }[]) => [
    ...new Map(list.filter(({ name }) => name !== '').map((one) => [one.name, one])).values(),
  ];
  if (field === 'stage' || field === 'not_stage')
    return unique(
      netsOf(prototxt)
        .flatMap(({ layers }) => layers.flatMap(({ include, exclude }) => [...include, ...exclude]))
        .flatMap((rule) => [...(rule.stage ?? []), ...(rule.not_stage ?? [])])
        .map((name) => ({ name, detail: phrase`stage` })),
    );
  const place = layerAt(prototxt, message);
  if (!place) return [];
  const { net, layer } = place;
  const elsewhere = ({ span }: { span: Span }) => offset < span.start || offset > span.end;
  if (type.name === 'ParamSpec' && field === 'name')
    return unique(
      net.layers
        .flatMap(({ params }) => params)
        .filter(elsewhere)
        .map(({ name, layer: other }) => ({ name, detail: other.name })),
    );
  if (field === 'top')
    return unique([
      { name: layer.name, detail: phrase`name of the layer` },
      ...layer.bottoms.map(({ blob }) => ({ name: blob, detail: phrase`in place` })),
    ]);
  if (field !== 'bottom') return [];
  const above = net.layers.slice(0, net.layers.indexOf(layer));
  const taken = new Set(layer.bottoms.filter(elsewhere).map(({ blob }) => blob));
  const blobs = [
    ...net.inputs.map(({ blob }) => ({ name: blob, detail: phrase`input` })),
    ...above.flatMap(({ tops, name, type: made }) =>
      tops.map(({ blob }) => ({ name: blob, detail: `${name} (${made})` })),
    ),
  ];
  return unique(blobs.reverse()).filter(({ name }) => !taken.has(name));
}

/** The layer that a message is, or is part of. */
function layerAt(prototxt: Prototxt, node: MessageNode): { net: NetText; layer: LayerText } | undefined {
  for (const net of netsOf(prototxt))
    for (let message: MessageNode | undefined = node; message; message = message.field?.parent) {
      const layer = net.layers.find((candidate) => candidate.node === message);
      if (layer) return { net, layer };
    }
  return undefined;
}
