import { phrase } from '../../phrase';
import { CaffeError } from '../errors';
import { v1LayerTypeByName } from '../layerTypes';
import type { LayerParameter } from '../messages';
import { readNet } from '../readNet';
import { messageType } from '../schema';
import { insertionAfter, removalOf, removalsOf } from './diagnostic';
import type { LayerText, NetText } from './netText';
import { printMessage, quote } from './printMessage';
import {
  fieldOf,
  indentOf,
  type FieldNode,
  type MessageNode,
  type Prototxt,
  type TextEdit,
  type Fix,
} from './tree';
import type { PlainMessage } from './values';

/**
 * The fix that brings a net to the current syntax, or undefined where there is nothing to do. A layer of 2014 is changed
 * where it differs and keeps its layout; one of 2013 is written anew with its comments above it.
 */
export function conversionFix(prototxt: Prototxt, net: NetText): Fix | undefined {
  // What mixes both cannot be read, which writing a layer of 2013 anew takes.
  const mixed = net.layers.some(isOld) && !net.layers.every(isOld);
  if (mixed && net.layers.some(({ node, description }) => node !== description)) return undefined;
  const edits = [...inputEdits(prototxt, net), ...layerEdits(prototxt, net)];
  return edits.length === 0
    ? undefined
    : { title: phrase`Convert to the current syntax`, edits, preferred: true };
}

const isOld = ({ node }: LayerText): boolean => node.field!.name === 'layers';

function layerEdits(prototxt: Prototxt, net: NetText): TextEdit[] {
  const old = net.layers.filter((layer) => isOld(layer) && !layer.node.field!.list);
  if (old.every(({ node, description }) => node === description))
    return old.flatMap((layer) => v1Edits(prototxt, layer));
  let nodes: ReadonlyMap<LayerParameter, MessageNode>;
  try {
    nodes = readNet(prototxt).nodes;
  } catch (error) {
    if (error instanceof CaffeError) return [];
    throw error;
  }
  const upgraded = new Map([...nodes].map(([layer, node]) => [node, layer]));
  return old.map(({ node }) => {
    const layer = upgraded.get(node);
    // Padding layers are part of the layer after them now.
    return layer ? rewritten(prototxt, node, layer) : removalOf(prototxt, node.field!);
  });
}

function rewritten(prototxt: Prototxt, node: MessageNode, layer: LayerParameter): TextEdit {
  const { start, end } = node.field!;
  const { indent } = indentOf(prototxt, start);
  const comments = prototxt.comments
    .filter((comment) => comment.start > start && comment.end <= end)
    .map((comment) => `${indent}  ${prototxt.text.slice(comment.start, comment.end)}\n`);
  const { line: _, ...fields } = layer;
  const body = printMessage(fields as PlainMessage, messageType('LayerParameter'), `${indent}  `);
  return { start, end, text: withLineEnds(prototxt, `layer {\n${comments.join('')}${body}${indent}}`) };
}

const withLineEnds = ({ text }: Prototxt, lines: string): string =>
  text.includes('\r\n') ? lines.replaceAll('\n', '\r\n') : lines;

function v1Edits(prototxt: Prototxt, { node, type }: LayerText): TextEdit[] {
  const { text } = prototxt;
  const edits: TextEdit[] = [{ ...node.field!.nameSpan, text: 'layer' }];
  const typeField = fieldOf(node, 'type');
  const written = typeField?.values[0];
  if (written && written.kind === 'identifier') {
    const current = v1LayerTypeByName(text.slice(written.start, written.end));
    if (current !== undefined) edits.push({ start: written.start, end: written.end, text: quote(current) });
  }
  edits.push(...paramEdits(prototxt, node));
  const source = imageSources[type];
  if (source) edits.push(...transformEdits(prototxt, node, source, imageSettings));
  return edits;
}

/** Where the data layers of 2014 had their image settings. */
const imageSources: Readonly<Partial<Record<string, string>>> = {
  Data: 'data_param',
  ImageData: 'image_data_param',
  WindowData: 'window_data_param',
};
const transform = 'transform_param';
const imageSettings: readonly string[] = ['scale', 'mean_file', 'crop_size', 'mirror'];

/** Image settings of a layer of the current syntax that Caffe does not read where they are, and the way to move them. */
export function misplacedSettings(
  prototxt: Prototxt,
  { node, type }: LayerText,
): { fields: FieldNode[]; fix: Fix } | undefined {
  const source = imageSources[type];
  if (source === undefined) return undefined;
  // WindowData alone still takes its scale from where it was.
  const names = imageSettings.filter((name) => type !== 'WindowData' || name !== 'scale');
  const fields = settingsIn(node, source, names);
  if (fields.length === 0) return undefined;
  const edits = transformEdits(prototxt, node, source, names);
  return { fields, fix: { title: phrase`Move to ${transform}`, edits, preferred: true } };
}

const perBlob = {
  param: 'name',
  blob_share_mode: 'share_mode',
  blobs_lr: 'lr_mult',
  weight_decay: 'decay_mult',
};

/** The fix for `blobs_lr` and its like in a layer of the current syntax; undefined where some \`param\` is there already. */
export function perBlobFix(prototxt: Prototxt, node: MessageNode): Fix | undefined {
  const edits = paramEdits(prototxt, node);
  return edits.length === 0 ? undefined : { title: phrase`Write \`param\``, edits, preferred: true };
}

/** `blobs_lr` and its like, one list each, become one `param` for each blob, where the first of them stood. */
function paramEdits(prototxt: Prototxt, node: MessageNode): TextEdit[] {
  const { text } = prototxt;
  const fields = node.fields.filter(({ name }) => name in perBlob);
  const modern = fields.some(({ values }) => values.some(({ kind }) => kind === 'message'));
  if (fields.length === 0 || modern) return [];
  const params: string[][] = [];
  for (const [old, current] of Object.entries(perBlob)) {
    const values = fields.filter(({ name }) => name === old).flatMap((field) => field.values);
    for (const [index, value] of values.entries())
      (params[index] ??= []).push(`${current}: ${text.slice(value.start, value.end)}`);
  }
  const [first, ...others] = fields;
  const { indent, first: alone } = indentOf(prototxt, first.start);
  const lines = Array.from(params, (words) => `param { ${words.join(' ')} }`);
  return [
    {
      start: first.start,
      end: first.end,
      text: withLineEnds(prototxt, lines.join(alone ? `\n${indent}` : ' ')),
    },
    ...removalsOf(prototxt, others),
  ];
}

/** The fields of these names in the message `source` of a layer. */
function settingsIn(node: MessageNode, source: string, names: readonly string[]): FieldNode[] {
  const message = fieldOf(node, source)?.values[0];
  return message?.kind === 'message' ? message.fields.filter(({ name }) => names.includes(name)) : [];
}

/** The image settings of a data layer move to `transform_param`. */
function transformEdits(
  prototxt: Prototxt,
  node: MessageNode,
  source: string,
  names: readonly string[],
): TextEdit[] {
  const { text } = prototxt;
  const moved = settingsIn(node, source, names);
  if (moved.length === 0) return [];
  const words = moved.map((field) => text.slice(field.start, field.end).replace(/[,;]$/, ''));
  const target = fieldOf(node, transform)?.values[0];
  const insertion: TextEdit =
    target?.kind === 'message'
      ? { start: target.inner.start, end: target.inner.start, text: ` ${words.join(' ')} ` }
      : insertionAfter(prototxt, fieldOf(node, source)!, `${transform} { ${words.join(' ')} }`);
  return [insertion, ...removalsOf(prototxt, moved)];
}

/** `input` with its shapes becomes an Input layer in the place of the first of them. */
function inputEdits(prototxt: Prototxt, net: NetText): TextEdit[] {
  const { text, root } = prototxt;
  const fields = root.fields.filter(({ name }) => /^input(_shape|_dim)?$/.test(name));
  const shapes = shapesOf(text, fields, net.inputs.length);
  if (!shapes || net.layers.some(({ node }) => node.field!.start < fields[0].start)) return [];
  const tops = net.inputs.map(({ blob }) => `  top: ${quote(blob)}\n`).join('');
  const layer = `layer {\n  name: "input"\n  type: "Input"\n${tops}  input_param {\n${shapes.map((shape) => `    ${shape}\n`).join('')}  }\n}`;
  return [
    { start: fields[0].start, end: fields[0].end, text: withLineEnds(prototxt, layer) },
    ...removalsOf(prototxt, fields.slice(1)),
  ];
}

function shapesOf(text: string, fields: readonly FieldNode[], inputs: number): string[] | undefined {
  const values = (name: string) =>
    fields.filter((field) => field.name === name).flatMap((field) => field.values);
  const shapes = values('input_shape').map((value) =>
    text.slice(value.start, value.end).replace(/^</, '{').replace(/>$/, '}'),
  );
  if (inputs > 0 && shapes.length === inputs) return shapes.map((shape) => `shape ${shape}`);
  const dims = values('input_dim').map((value) => text.slice(value.start, value.end));
  if (inputs === 0 || shapes.length > 0 || dims.length !== inputs * 4) return undefined;
  return Array.from({ length: inputs }, (_, index) => {
    const own = dims.slice(index * 4, index * 4 + 4).map((dim) => `dim: ${dim}`);
    return `shape { ${own.join(' ')} }`;
  });
}
