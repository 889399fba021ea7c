import { phrase, type Phrase } from '../../phrase';
import { indentOf, type FieldNode, type Fix, type Prototxt, type Span, type TextEdit } from './tree';

export type DiagnosticCode =
  | 'syntax'
  | 'unknown-field'
  | 'wrong-type'
  | 'repeated'
  | 'missing-field'
  | 'unknown-bottom'
  | 'duplicate-top'
  | 'in-place'
  | 'duplicate-layer'
  | 'missing-bottom'
  | 'unknown-layer-type'
  | 'useless-field'
  | 'deprecated'
  | 'rules'
  | 'solver'
  | 'missing-file'
  | 'hint'
  | 'shape'
  | 'weights';

/** Something about a part of the text that its author should know. */
export interface Diagnostic extends Span {
  code: DiagnosticCode;
  /** `error`: Caffe refuses it. `warning`: likely a mistake. `information`: could be better. `hint`: a remark. */
  severity: 'error' | 'warning' | 'information' | 'hint';
  message: Phrase;
  fixes: Fix[];
  /** How an editor may show the part: faded, or struck through. */
  tag?: 'unnecessary' | 'deprecated';
  /** Another place that belongs to it. */
  related?: Span & { message: Phrase };
}

/** What is wrong, and what may have been meant. */
export const withGuess = (said: Phrase, guess: string | undefined): Phrase =>
  guess === undefined ? said : phrase`${said}; did you mean "${guess}"?`;

export type Report = (
  code: DiagnosticCode,
  severity: Diagnostic['severity'],
  span: Span,
  message: Phrase,
  more?: Partial<Pick<Diagnostic, 'fixes' | 'tag' | 'related'>>,
) => void;

/** A fix that puts another word in the place of a span. */
export const replaceWith = (span: Span, text: string): Fix => ({
  title: phrase`Change to ${text}`,
  edits: [{ start: span.start, end: span.end, text }],
  preferred: true,
});

/** The edit that removes a field, with its line when it is alone there. */
export function removalOf(prototxt: Prototxt, field: Span): TextEdit {
  const { text } = prototxt;
  const { indent, first } = indentOf(prototxt, field.start);
  const rest = /^[ \t]*(?:\r?\n|$)/.exec(text.slice(field.end, field.end + 200));
  if (first && rest) return { start: field.start - indent.length, end: field.end + rest[0].length, text: '' };
  const blanks = /^[ \t]*/.exec(text.slice(field.end, field.end + 200))![0].length;
  return { start: field.start, end: field.end + blanks, text: '' };
}

/** The edits that remove fields; those that follow each other on a line go as one, and the line with them. */
export function removalsOf(prototxt: Prototxt, fields: readonly Span[]): TextEdit[] {
  const runs: Span[] = [];
  for (const { start, end } of fields) {
    const last = runs.at(-1);
    if (last && /^[ \t]*$/.test(prototxt.text.slice(last.end, start))) last.end = end;
    else runs.push({ start, end });
  }
  return runs.map((run) => removalOf(prototxt, run));
}

export const removeFix = (prototxt: Prototxt, field: FieldNode): Fix => ({
  title: phrase`Remove ${field.name}`,
  edits: [removalOf(prototxt, field)],
  preferred: true,
});

/** The edit that puts a line before a field of a message: on a line of its own if the field has one. */
export function insertionBefore(prototxt: Prototxt, field: Span, line: string): TextEdit {
  const { indent, first } = indentOf(prototxt, field.start);
  return {
    start: field.start,
    end: field.start,
    text: first ? `${line}${newlineOf(prototxt)}${indent}` : `${line} `,
  };
}

/** The edit that puts a line after a field of a message: on a line of its own if the field has one. */
export function insertionAfter(prototxt: Prototxt, field: Span, line: string): TextEdit {
  const { indent, first } = indentOf(prototxt, field.start);
  return {
    start: field.end,
    end: field.end,
    text: first ? `${newlineOf(prototxt)}${indent}${line}` : ` ${line}`,
  };
}

const newlineOf = ({ text }: Prototxt): string => (text.includes('\r\n') ? '\r\n' : '\n');
