import type { Phrase } from '../../phrase';
import { TokenKind, type Tokens } from './lexer';

/** A part of the text: from `start` up to `end`, in UTF-16 units as editors count. */
export interface Span {
  start: number;
  end: number;
}

/** The text between braces, or the whole file. */
export interface MessageNode extends Span {
  kind: 'message';
  fields: FieldNode[];
  /** The field whose value this is; undefined for the file. */
  field?: FieldNode;
  /** Where the fields begin and end: inside the braces. */
  inner: Span;
  /** The closing brace is there (always true of the file). */
  closed: boolean;
}

export type ScalarKind = 'identifier' | 'number' | 'string';

/** One value that is no message, as written: `-  1`, `"a" 'b'`, `MAX`. */
export interface ScalarNode extends Span {
  kind: ScalarKind;
}

export type ValueNode = MessageNode | ScalarNode;

/** `name: value`, `name { … }` or `name: [value, value]`. */
export interface FieldNode extends Span {
  name: string;
  readonly nameSpan: Span;
  /** None when the value is missing, several when it is a list. */
  values: ValueNode[];
  /** The values stand between brackets. */
  list: boolean;
  parent: MessageNode;
}

/** A place where the text breaks the text format's grammar. */
export interface SyntaxProblem extends Span {
  message: Phrase;
  /** What is most likely meant. */
  fix?: Fix;
}

/** A way out of a problem. */
export interface Fix {
  title: Phrase;
  edits: TextEdit[];
  /** It is most likely what is meant. */
  preferred?: true;
}

/** A prototxt: the tree of its fields over the tokens of its text, and what is wrong with it. */
export interface Prototxt {
  text: string;
  tokens: Tokens;
  root: MessageNode;
  problems: SyntaxProblem[];
  /** Comments in order, from `#` to the end of the line. */
  comments: Span[];
  /** Offset of the beginning of each line. */
  lines: Uint32Array;
}

/** The text of a tree: its tokens one after the other. It is the text that was parsed, whatever that was. */
export function print({ tokens }: Prototxt): string {
  const parts: string[] = [];
  for (let index = 0; index < tokens.count; index++)
    parts.push(tokens.text.slice(tokens.starts[index], tokens.starts[index + 1]));
  return parts.join('');
}

/** The last index with `starts[index] <= offset` among the first `count`, or -1. */
export function floorIndex(starts: ArrayLike<number>, count: number, offset: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The line of an offset, counted from 0. */
export const lineOf = (prototxt: Prototxt, offset: number): number =>
  Math.max(0, floorIndex(prototxt.lines, prototxt.lines.length, offset));

/** Index of the token that holds the character at `offset`; -1 in an empty text. */
export const tokenAt = ({ tokens }: Prototxt, offset: number): number =>
  floorIndex(tokens.starts, tokens.count, offset);

/** Index of the first token at or after `index` that is no blank and no comment; `count` at the end. */
export function nextSignificant(tokens: Tokens, index: number): number {
  while (index < tokens.count && tokens.kinds[index] <= TokenKind.Comment) index++;
  return index;
}

/** The first field with this name. */
export const fieldOf = (message: MessageNode, name: string): FieldNode | undefined =>
  message.fields.find((field) => field.name === name);

/** All messages that are values of fields with this name, in order. */
export function* messagesOf(message: MessageNode, name: string): Generator<MessageNode> {
  for (const field of message.fields)
    if (field.name === name) for (const value of field.values) if (value.kind === 'message') yield value;
}

/** The innermost message whose inside holds `offset`. */
export function messageAt(prototxt: Prototxt, offset: number): MessageNode {
  let message = prototxt.root;
  for (;;) {
    const field = fieldAt(message, offset);
    const inside = field?.values.find(
      (value): value is MessageNode =>
        value.kind === 'message' && value.inner.start <= offset && offset <= value.inner.end,
    );
    if (!inside) return message;
    message = inside;
  }
}

/** The field of `message` that holds `offset`, its ends included; fields are in order, so the search halves them. */
export function fieldAt(message: MessageNode, offset: number): FieldNode | undefined {
  let low = 0;
  let high = message.fields.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (message.fields[middle].start <= offset) low = middle + 1;
    else high = middle;
  }
  const field = message.fields[low - 1];
  return field && offset <= field.end ? field : undefined;
}

/** A change of a text: what stands in the span becomes `text`. */
export interface TextEdit extends Span {
  text: string;
}

/** The text after edits that do not overlap; those at the same place are applied in their order. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const edit of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    parts.push(text.slice(at, edit.start), edit.text);
    at = edit.end;
  }
  return parts.join('') + text.slice(at);
}

/** The layers of a net in the text: `layer` and `layers`, also those of nets inside a solver, in order. */
export function layerNodes(root: MessageNode): MessageNode[] {
  const layers: MessageNode[] = [];
  for (const field of root.fields)
    for (const value of field.values)
      if (value.kind === 'message')
        if (field.name === 'layer' || field.name === 'layers') layers.push(value);
        else if (field.name.endsWith('net_param')) layers.push(...layerNodes(value));
  return layers;
}

/** The scalar that a field with this name has first. */
export function scalarOf(message: MessageNode, name: string): ScalarNode | undefined {
  const value = fieldOf(message, name)?.values[0];
  return value?.kind === 'message' ? undefined : value;
}

/** Whether anything but blanks stands before `offset` on its line. */
export function indentOf(prototxt: Prototxt, offset: number): { indent: string; first: boolean } {
  const before = prototxt.text.slice(prototxt.lines[lineOf(prototxt, offset)], offset);
  const indent = /^[ \t]*/.exec(before)![0];
  return { indent, first: indent.length === before.length };
}
