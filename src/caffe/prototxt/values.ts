import { phrase, type Phrase } from '../../phrase';
import { isMessage, type EnumType, type FieldType, type MessageType, type ScalarType } from '../schema';
import type { FieldNode, MessageNode, ScalarNode, Span } from './tree';

export type Scalar = number | boolean | string | Uint8Array;

/** What a value may be, and the bounds of an integer. */
const integers: Partial<Record<ScalarType, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

/** The type in words: `an integer`, `one of MAX, AVE, STOCHASTIC`. */
export function typeInWords(type: FieldType['type']): Phrase {
  if (typeof type !== 'string') {
    if (type.kind === 'message') return phrase`a message in braces (${type.name})`;
    const names = [...type.values.keys()];
    return phrase`one of ${names.slice(0, 8).join(', ')}${names.length > 8 ? ', …' : ''}`;
  }
  if (type === 'bool') return phrase`true or false`;
  if (type === 'string' || type === 'bytes') return phrase`a string in quotes`;
  if (type === 'float' || type === 'double') return phrase`a number`;
  return type.startsWith('u') ? phrase`an integer of at least 0` : phrase`an integer`;
}

/** The value of a scalar as a field of this type takes it, or undefined where it does not fit (see `typeInWords`). */
export function readScalar(text: string, node: ScalarNode, type: ScalarType | EnumType): Scalar | undefined {
  if (type === 'string') return node.kind === 'string' ? stringValue(text, node) : undefined;
  if (type === 'bytes') return node.kind === 'string' ? stringBytes(text, node) : undefined;
  if (node.kind === 'string') return undefined;
  const raw = text.slice(node.start, node.end);
  if (typeof type !== 'string') return readEnum(raw, type);
  if (type === 'bool') return readBool(raw);
  if (type === 'float' || type === 'double') return readFloat(raw);
  return readInteger(raw, type);
}

function readEnum(raw: string, type: EnumType): string | undefined {
  if (type.values.has(raw)) return raw;
  const number = readInteger(raw, 'int32');
  if (number === undefined) return undefined;
  for (const [name, value] of type.values) if (value.number === number) return name;
  return undefined;
}

function readBool(raw: string): boolean | undefined {
  if (/^(true|True|t)$/.test(raw)) return true;
  if (/^(false|False|f)$/.test(raw)) return false;
  const number = readInteger(raw, 'uint64');
  return number === 0 ? false : number === 1 ? true : undefined;
}

/** `-` with blanks or comments after it counts as the sign. */
const unsigned = (raw: string): string => raw.replace(/^-(?:\s|#[^\n]*)*/, '');

/** A float is not rounded to 32 bits here, so that 0.1 stays 0.1 for the reader; it is where Caffe computes with it. */
function readFloat(raw: string): number | undefined {
  const sign = raw.startsWith('-') ? -1 : 1;
  const body = sign < 0 ? unsigned(raw) : raw;
  if (/^(?:inf|infinity)f?$/i.test(body)) return sign * Infinity;
  if (/^nanf?$/i.test(body)) return NaN;
  if (!/^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?f?$/i.test(body) || /^0\d/.test(body)) return undefined;
  return sign * Number(body.replace(/f$/i, ''));
}

function readInteger(raw: string, type: ScalarType): number | undefined {
  const negative = raw.startsWith('-');
  const body = negative ? unsigned(raw) : raw;
  const octal = /^0[0-7]+$/.test(body);
  if (!octal && !/^(?:0x[0-9a-f]+|0|[1-9]\d*)$/i.test(body)) return undefined;
  const bounds = integers[type]!;
  if (body.length > 24) return undefined;
  const magnitude = BigInt(octal ? `0o${body}` : body);
  const value = negative ? -magnitude : magnitude;
  return value >= bounds[0] && value <= bounds[1] ? Number(value) : undefined;
}

const escapes: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
};

/** The text that a string value stands for: its parts joined, escapes undone. */
export function stringValue(text: string, node: Span): string {
  const raw = text.slice(node.start, node.end);
  const quote = raw[0];
  // The usual case: one string without escapes.
  if (!raw.includes('\\') && raw.indexOf(quote, 1) === raw.length - 1) return raw.slice(1, -1);
  return new TextDecoder().decode(stringBytes(text, node));
}

/** The bytes of a string value; escapes such as `\377` are bytes, all else is UTF-8. */
function stringBytes(text: string, node: Span): Uint8Array {
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  const raw = text.slice(node.start, node.end);
  let quote = '';
  for (let at = 0; at < raw.length; at++) {
    const character = raw[at];
    if (quote === '') {
      if (character === '#') while (at < raw.length && raw[at] !== '\n') at++;
      else if (character === '"' || character === "'") quote = character;
    } else if (character === quote || character === '\n') quote = '';
    else if (character === '\\') {
      const escape =
        /^\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([^]))/.exec(
          raw.slice(at, at + 10),
        );
      if (!escape) continue;
      const [whole, octal, hexadecimal, short, long, letter] = escape;
      const point = short ?? long;
      if (octal !== undefined) bytes.push(parseInt(octal, 8) & 255);
      else if (hexadecimal !== undefined) bytes.push(parseInt(hexadecimal, 16));
      else if (point !== undefined)
        bytes.push(...encoder.encode(String.fromCodePoint(Math.min(parseInt(point, 16), 0x10ffff))));
      else bytes.push(...(letter in escapes ? [escapes[letter]] : encoder.encode(letter)));
      at += whole.length - 1;
    } else {
      const point = String.fromCodePoint(raw.codePointAt(at)!);
      bytes.push(...encoder.encode(point));
      at += point.length - 1;
    }
  }
  return Uint8Array.from(bytes);
}

/** Something in a message that its type does not allow. */
export interface Misfit extends Span {
  kind: 'unknown field' | 'wrong type' | 'repeated' | 'missing';
  message: Phrase;
  field?: FieldNode;
}

/** A message as a plain object: enums are names, repeated fields are arrays, what is not set is absent. */
export type PlainMessage = Record<string, unknown>;

/** Hears of each message that is read. */
export interface Reading {
  /** A message that need not be read again. */
  known?(node: MessageNode, type: MessageType): PlainMessage | undefined;
  /** The message has been read. */
  enter(value: PlainMessage, node: MessageNode, type: MessageType): void;
}

/**
 * Reads a message by its type; `report` hears of each field that does not fit, which is then left out. A scalar that is
 * set twice keeps its last value, a message that is set twice is merged, as protobuf does.
 */
export function readMessage(
  text: string,
  node: MessageNode,
  type: MessageType,
  report: (misfit: Misfit) => void,
  reading?: Reading,
): PlainMessage {
  const known = reading?.known?.(node, type);
  if (known) {
    reading?.enter(known, node, type);
    return known;
  }
  const object: PlainMessage = {};
  for (const field of node.fields) {
    const fieldType = type.fields.get(field.name);
    if (!fieldType) {
      report({
        kind: 'unknown field',
        message: phrase`${type.name} has no field "${field.name}"`,
        ...field.nameSpan,
        field,
      });
      continue;
    }
    for (const value of field.values) {
      const one = readValue(text, value, fieldType, field, report, reading);
      if (one === undefined) continue;
      if (fieldType.repeated) ((object[field.name] ??= []) as unknown[]).push(one);
      else if (value.kind === 'message' && object[field.name])
        Object.assign(object[field.name] as object, one as object);
      else object[field.name] = one;
    }
  }
  reading?.enter(object, node, type);
  return object;
}

function readValue(
  text: string,
  value: FieldNode['values'][number],
  fieldType: FieldType,
  field: FieldNode,
  report: (misfit: Misfit) => void,
  reading: Reading | undefined,
): unknown {
  const { type } = fieldType;
  if (isMessage(type)) {
    if (value.kind === 'message') return readMessage(text, value, type, report, reading);
  } else if (value.kind !== 'message') {
    const scalar = readScalar(text, value, type);
    if (scalar !== undefined) return scalar;
  }
  report({
    kind: 'wrong type',
    message: phrase`"${field.name}" must be ${typeInWords(type)}`,
    start: value.start,
    end: value.kind === 'message' ? value.start + 1 : value.end,
    field,
  });
  return undefined;
}
