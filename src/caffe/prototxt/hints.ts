import { phrase, type Phrase } from '../../phrase';
import { nearest } from '../nearest';
import {
  floorIndex,
  indentOf,
  layerNodes,
  lineOf,
  scalarOf,
  type MessageNode,
  type Prototxt,
  type Span,
  type TextEdit,
} from './tree';
import { stringValue } from './values';

/** What a comment such as `# prune: keep=8% index=5` asks for. */
export interface PruneHint {
  /** Leave the layer alone. */
  skip?: true;
  /** Share of the weights that stay, 0 to 1. */
  keep?: number;
  /** Weights up to this magnitude go. */
  threshold?: number;
  /** Weights up to so many standard deviations of the layer go. */
  std?: number;
  /** How weights are chosen: see `hintMethods`. */
  method?: string;
  /** Bits of a codebook index. */
  bits?: number;
  /** Bits of a gap in the sparse encoding. */
  index?: number;
}

/** What `method=` may name, besides N:M such as 2:4. */
export const hintMethods: ReadonlyMap<string, Phrase> = new Map([
  ['keep', phrase`keep the share \`keep\` of the weights with the largest magnitude`],
  ['threshold', phrase`drop weights up to the magnitude \`threshold\``],
  ['std', phrase`drop weights up to \`std\` standard deviations`],
  ['filters', phrase`keep the share \`keep\` of the filters with the largest L1 norm`],
  ['random', phrase`drop weights at random, small ones more likely`],
  ['global', phrase`one threshold for all layers that say so`],
]);

/** What can be said in a hint, and what it means. */
export const hintWords: ReadonlyMap<string, Phrase> = new Map([
  ['skip', phrase`leave the layer alone`],
  ['keep', phrase`share of the weights that stays: 0 to 1, or a percentage`],
  ['threshold', phrase`weights up to this magnitude go`],
  ['std', phrase`weights up to so many standard deviations of the layer go`],
  ['method', phrase`how weights are chosen`],
  ['bits', phrase`bits of an index into the codebook of shared weights`],
  ['index', phrase`bits of a gap in the sparse encoding: 4, 5, 8 or 16`],
]);

export interface HintProblem extends Span {
  message: Phrase;
  /** What the span should be instead, where that is clear. */
  replacement?: string;
}

/** A hint in the text. */
export interface FoundHint {
  /** The comment. */
  span: Span;
  /** After `# prune:`. */
  body: Span;
  hint: PruneHint;
  /** For all layers that say nothing themselves; else for `layer`. */
  isDefault: boolean;
  layer?: MessageNode;
  problems: HintProblem[];
}

const opening = /^#+\s*prune\s*:/i;

/** All hints of a file in their order. */
export function findHints(prototxt: Prototxt): FoundHint[] {
  const found: FoundHint[] = [];
  const layers = layerNodes(prototxt.root);
  const starts = layers.map((layer) => layer.field!.start);
  /** What was said so far, by layer; undefined is the file. */
  const said = new Map<MessageNode | undefined, PruneHint>();
  for (const span of prototxt.comments) {
    const text = prototxt.text.slice(span.start, span.end);
    const match = opening.exec(text);
    if (!match) continue;
    const body = { start: span.start + match[0].length, end: span.end };
    const { hint, isDefault, problems } = readHint(prototxt.text, body);
    const layer = layerOfComment(prototxt, layers, starts, span);
    if (isDefault && span.start > (starts[0] ?? Infinity))
      problems.push({ ...body, message: phrase`A default must stand before the first layer` });
    if (!isDefault && !layer)
      problems.push({
        ...body,
        message: phrase`This hint belongs to no layer: write it inside the braces of one or right above it`,
      });
    const target = isDefault ? undefined : layer;
    if (isDefault || layer) {
      if (problems.length === 0) problems.push(...contradictions(said.get(target), hint, body));
      said.set(target, { ...said.get(target), ...hint });
    }
    found.push({ span, body, hint, isDefault, ...(target ? { layer: target } : {}), problems });
  }
  return found;
}

/** The hints of a file by layer name, each with the file's default where the layer says nothing itself. */
export interface HintsOfFile {
  default: PruneHint;
  layers: ReadonlyMap<string, PruneHint>;
}

/** What a hint says anew, or against, what one before it says of the same layer. */
function contradictions(before: PruneHint = {}, hint: PruneHint, body: Span): HintProblem[] {
  const again = Object.keys(hint).filter((key) => Object.hasOwn(before, key));
  if (again.length > 0)
    return [{ ...body, message: phrase`A hint before this one says ${again.join(', ')} already` }];
  const rules = exclusive.filter((key) => key in before || key in hint);
  return exclusive.some((key) => key in hint) ? onlyOne(rules, body) : [];
}

/** Of these a layer can have one. */
const exclusive = ['skip', 'keep', 'threshold', 'std'];

const onlyOne = (rules: readonly string[], body: Span): HintProblem[] =>
  rules.length > 1
    ? [{ ...body, message: phrase`${rules.join(', ')} exclude each other; only one can hold` }]
    : [];

/** What the hints of a file say; wrong ones are left out. */
export function readHints(prototxt: Prototxt): HintsOfFile {
  const byDefault: PruneHint = {};
  const layers = new Map<string, PruneHint>();
  for (const { hint, isDefault, layer } of findHints(prototxt)) {
    if (isDefault) Object.assign(byDefault, hint);
    else if (layer) {
      const name = layerName(prototxt, layer);
      layers.set(name, { ...layers.get(name), ...hint });
    }
  }
  return { default: byDefault, layers };
}

/** The name of a layer in the text, also of one of 2013; empty where it has none. */
export function layerName({ text }: Prototxt, layer: MessageNode): string {
  const inner = layer.fields.find(({ name }) => name === 'layer')?.values[0];
  const node = scalarOf(layer, 'name') ?? (inner?.kind === 'message' ? scalarOf(inner, 'name') : undefined);
  return node?.kind === 'string' ? stringValue(text, node) : '';
}

/** A hint above a layer stands within so many characters of it. */
const farthest = 4000;

/**
 * The layer whose braces hold the comment, or that ends on its line, or that begins below it with nothing but comments
 * between, no blank line.
 */
function layerOfComment(
  prototxt: Prototxt,
  layers: readonly MessageNode[],
  starts: readonly number[],
  span: Span,
): MessageNode | undefined {
  const at = floorIndex(starts, starts.length, span.start);
  const before = layers[at];
  if (before && (span.start < before.end || lineOf(prototxt, before.end) === lineOf(prototxt, span.start)))
    return before;
  const after = layers[at + 1];
  if (!after) return undefined;
  if (after.field!.start - span.end > farthest) return undefined;
  const between = prototxt.text.slice(span.end, after.field!.start);
  return /^(?:\r?\n[ \t]*(?:#[^\n]*)?)+$/.test(between) && !/\n[ \t]*\r?\n/.test(between) ? after : undefined;
}

function readHint(
  text: string,
  body: Span,
): { hint: PruneHint; isDefault: boolean; problems: HintProblem[] } {
  const hint: PruneHint = {};
  const problems: HintProblem[] = [];
  let isDefault = false;
  const seen = new Set<string>();
  for (const match of text.slice(body.start, body.end).matchAll(/[^\s,;]+/g)) {
    const word = match[0];
    const start = body.start + match.index;
    const span = { start, end: start + word.length };
    const equals = word.indexOf('=');
    const key = (equals < 0 ? word : word.slice(0, equals)).toLowerCase();
    const value = equals < 0 ? undefined : word.slice(equals + 1);
    if (key === 'default' && value === undefined) {
      isDefault = true;
      continue;
    }
    if (!hintWords.has(key)) {
      const guess = nearest(key, hintWords.keys());
      problems.push({
        ...span,
        message: phrase`A hint knows no "${key}"; it may be ${[...hintWords.keys()].join(', ')}`,
        ...(guess ? { replacement: guess + word.slice(key.length) } : {}),
      });
      continue;
    }
    if (seen.has(key)) problems.push({ ...span, message: phrase`"${key}" stands here twice` });
    seen.add(key);
    const problem = take(hint, key as keyof PruneHint, value);
    if (problem) problems.push({ ...span, ...problem });
  }
  if (seen.size === 0 && problems.length === 0)
    problems.push({
      ...body,
      message: phrase`The hint says nothing: write skip, keep=…, threshold=… or std=…`,
    });
  const rules = exclusive.filter((key) => seen.has(key));
  problems.push(...onlyOne(rules, body));
  return { hint, isDefault, problems };
}

/** Puts one word into the hint, or says why it cannot be. */
function take(
  hint: PruneHint,
  key: keyof PruneHint,
  value: string | undefined,
): Omit<HintProblem, keyof Span> | undefined {
  if (key === 'skip') {
    if (value !== undefined) return { message: phrase`"skip" takes no value`, replacement: 'skip' };
    hint.skip = true;
    return undefined;
  }
  if (value === undefined || value === '')
    return { message: phrase`"${key}" needs a value, as in ${key}=${examples[key]}` };
  if (key === 'method') {
    const method = value.toLowerCase();
    if (!hintMethods.has(method) && !isPattern(method)) {
      const guess = nearest(method, hintMethods.keys());
      return {
        message: phrase`Unknown method "${value}": it may be ${[...hintMethods.keys()].join(', ')} or N:M such as 2:4`,
        ...(guess ? { replacement: `method=${guess}` } : {}),
      };
    }
    hint.method = method;
    return undefined;
  }
  const number = readNumber(value, key === 'keep');
  if (number === undefined)
    return {
      message:
        key === 'keep'
          ? phrase`"${value}" is no ratio or percentage, as in ${key}=${examples[key]}`
          : phrase`"${value}" is no number, as in ${key}=${examples[key]}`,
    };
  if (key === 'keep' && (number < 0 || number > 1))
    return {
      message: phrase`keep is a ratio from 0 to 1 or a percentage up to 100 %, but not ${value}`,
      ...(number > 1 && number <= 100 && !value.endsWith('%') ? { replacement: `keep=${value}%` } : {}),
    };
  if (number < 0) return { message: phrase`"${key}" must not be negative` };
  if (key === 'bits' && !(Number.isInteger(number) && number >= 1 && number <= 16))
    return { message: phrase`bits must be an integer from 1 to 16` };
  if (key === 'index' && ![4, 5, 8, 16].includes(number))
    return { message: phrase`index must be 4, 5, 8 or 16` };
  hint[key] = number;
  return undefined;
}

const examples: Readonly<Record<keyof PruneHint, string>> = {
  skip: '',
  keep: '8%',
  threshold: '0.02',
  std: '1.5',
  method: 'filters',
  bits: '5',
  index: '5',
};

/** N:M with 0 < N <= M, such as 2:4. */
function isPattern(method: string): boolean {
  const match = /^(\d{1,3}):(\d{1,3})$/.exec(method);
  return match !== null && Number(match[1]) > 0 && Number(match[1]) <= Number(match[2]);
}

function readNumber(value: string, percent: boolean): number | undefined {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(%?)$/i.exec(value);
  if (!match || (match[2] && !percent)) return undefined;
  return match[2] ? Number(match[1]) / 100 : Number(match[1]);
}

/** A hint as a comment: `# prune: keep=8% index=5`. Reading it gives the same hint. */
export function printHint(hint: PruneHint): string {
  const words: string[] = [];
  for (const key of hintWords.keys() as MapIterator<keyof PruneHint>) {
    const value = hint[key];
    if (value === undefined) continue;
    if (key === 'skip') words.push('skip');
    else words.push(`${key}=${key === 'keep' ? printRatio(value as number) : value}`);
  }
  return `# prune: ${words.join(' ')}`;
}

function printRatio(ratio: number): string {
  const percent = Number((ratio * 100).toPrecision(12));
  return percent / 100 === ratio && `${percent}`.length <= 7 ? `${percent}%` : `${ratio}`;
}

/**
 * The edits that make the file say these hints, by layer name; undefined takes a layer's hint away. A hint that is there
 * is rewritten where it stands, a new one gets a line of its own below the layer's name; nothing else moves. Of layers
 * with the same name the first that has a hint already, or else the first, is meant.
 */
export function writeHints(
  prototxt: Prototxt,
  hints: ReadonlyMap<string, PruneHint | undefined>,
): TextEdit[] {
  const edits: TextEdit[] = [];
  const found = new Map<string, FoundHint[]>();
  for (const one of findHints(prototxt)) {
    if (!one.layer) continue;
    const name = layerName(prototxt, one.layer);
    found.set(name, [...(found.get(name) ?? []), one]);
  }
  const layers = layerNodes(prototxt.root);
  for (const [name, hint] of hints) {
    const [first, ...others] = found.get(name) ?? [];
    const layer = layers.find((candidate) => layerName(prototxt, candidate) === name);
    const empty = hint === undefined || Object.keys(hint).length === 0;
    if (first && !empty) edits.push({ ...first.span, text: printHint(hint) });
    else if (first) edits.push(removal(prototxt, first.span));
    else if (layer && !empty) edits.push(insertion(prototxt, layer, printHint(hint)));
    edits.push(...others.map(({ span }) => removal(prototxt, span)));
  }
  return edits.sort((a, b) => a.start - b.start);
}

/** Removes a comment, with its line when it is alone there. */
function removal(prototxt: Prototxt, span: Span): TextEdit {
  const { text } = prototxt;
  const { indent, first } = indentOf(prototxt, span.start);
  if (!first) {
    const blanks = /[ \t]*$/.exec(text.slice(0, span.start).slice(-200))![0].length;
    return { start: span.start - blanks, end: span.end, text: '' };
  }
  const newline = /^\r?\n/.exec(text.slice(span.end, span.end + 2))?.[0].length ?? 0;
  return { start: span.start - indent.length, end: span.end + newline, text: '' };
}

function insertion(prototxt: Prototxt, layer: MessageNode, comment: string): TextEdit {
  const { text } = prototxt;
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const name = layer.fields.find((field) => field.name === 'name') ?? layer.fields[0];
  // On a line of its own, below the name, where the name has a line of its own.
  if (name && indentOf(prototxt, name.start).first && !/^[^\n]*[}>]/.test(text.slice(name.end))) {
    const lineEnd = /\r?\n|$/.exec(text.slice(name.end))!.index + name.end;
    return {
      start: lineEnd,
      end: lineEnd,
      text: `${newline}${indentOf(prototxt, name.start).indent}${comment}`,
    };
  }
  const { start } = layer.field!;
  const { indent, first } = indentOf(prototxt, start);
  return { start, end: start, text: `${first ? '' : `${newline}${indent}`}${comment}${newline}${indent}` };
}
