import { TokenKind } from './lexer';
import {
  floorIndex,
  lineOf,
  type MessageNode,
  nextSignificant,
  type Prototxt,
  type Span,
  type TextEdit,
} from './tree';

export interface FormatOptions {
  /** One level of indentation: blanks or a tab. */
  indent: string;
}

/** A message that stands on one line stays there while it ends before this column. */
const width = 100;

/**
 * The edits that lay a text out: one field a line, indented by depth, at most one blank line in a row; a message written
 * on one line stays on one if it fits. Only blanks and line ends change, so the text keeps its meaning and its comments;
 * laying it out again changes nothing. A text with syntax problems is left alone.
 */
export function format(prototxt: Prototxt, options: FormatOptions): TextEdit[] {
  return prototxt.problems.length > 0 ? [] : new Layout(prototxt, options).edits();
}

/** The part of `format` that lies within the lines of a range. */
export function formatRange(prototxt: Prototxt, range: Span, options: FormatOptions): TextEdit[] {
  const start = prototxt.lines[lineOf(prototxt, range.start)];
  const newline = prototxt.text.indexOf('\n', range.end);
  const end = newline < 0 ? prototxt.text.length : newline;
  return format(prototxt, options).filter((edit) => edit.end >= start && edit.end <= end);
}

/** The edit that gives the line at `offset` its indentation; for the moment a brace or a line end is typed. */
export function formatLine(prototxt: Prototxt, offset: number, { indent }: FormatOptions): TextEdit[] {
  const { text, tokens } = prototxt;
  const start = prototxt.lines[lineOf(prototxt, offset)];
  const blanks = /^[ \t]*/.exec(text.slice(start, start + 1000))![0];
  const token = floorIndex(tokens.starts, tokens.count, start);
  // A line that begins inside a string is not ours to move.
  if (token >= 0 && tokens.starts[token] < start && tokens.kinds[token] !== TokenKind.Space) return [];
  let depth = 0;
  for (let index = 0; index < tokens.count && tokens.starts[index] < start; index++)
    if (tokens.kinds[index] === TokenKind.Mark) {
      if ('{<['.includes(text[tokens.starts[index]])) depth++;
      else if ('}>]'.includes(text[tokens.starts[index]])) depth = Math.max(0, depth - 1);
    }
  if ('}>]'.includes(text[start + blanks.length] ?? ' ')) depth = Math.max(0, depth - 1);
  const wanted = indent.repeat(Math.min(depth, 100));
  return wanted === blanks ? [] : [{ start, end: start + blanks.length, text: wanted }];
}

/** What stands between two tokens: their text, the blanks of the source, and where they are. */
interface Gap {
  before: string;
  after: string;
  source: string;
  /** The token after it begins a field. */
  field: boolean;
  /** It lies inside brackets. */
  list: boolean;
  /** Index of the token after it; `count` at the end. */
  index: number;
}

class Layout {
  private readonly newline: string;
  /** The message that each opening brace opens, by offset. */
  private readonly openers = new Map<number, MessageNode>();
  /** Offsets where fields begin. */
  private readonly fields = new Set<number>();
  /** Where names in brackets are, by the offset of each token in them but the first. */
  private readonly extensionEnds = new Map<number, number>();

  /** The last token found that is no blank and no comment. */
  private significant = -1;

  constructor(
    private readonly prototxt: Prototxt,
    private readonly options: FormatOptions,
  ) {
    this.newline = prototxt.text.includes('\r\n') ? '\r\n' : '\n';
    this.visit(prototxt.root);
  }

  private visit(message: MessageNode): void {
    for (const field of message.fields) {
      this.fields.add(field.start);
      if (field.name.startsWith('[')) this.extensionEnds.set(field.start, field.nameSpan.end);
      for (const value of field.values)
        if (value.kind === 'message') {
          this.openers.set(value.start, value);
          this.visit(value);
        }
    }
  }

  edits(): TextEdit[] {
    const { text, tokens } = this.prototxt;
    const edits: TextEdit[] = [];
    /** Whether each message or list around is laid out over lines. */
    const around: ('lines' | 'line' | 'list')[] = [];
    let before = '';
    let end = 0;
    let extensionEnd = 0;
    for (let index = 0; index <= tokens.count; index++) {
      if (index < tokens.count && tokens.kinds[index] === TokenKind.Space) continue;
      const start = tokens.starts[index];
      const after = index < tokens.count ? text.slice(start, tokens.starts[index + 1]) : '';
      const source = text.slice(end, start);
      const gap = {
        before,
        after,
        source,
        field: this.fields.has(start),
        list: around.at(-1) === 'list',
        index,
      };
      const depth = around.length;
      const wanted =
        start > 0 && start < extensionEnd && !before.startsWith('#')
          ? ''
          : this.between(gap, around.at(-1) ?? 'lines', depth);
      if (wanted !== source) edits.push({ start: end, end: start, text: wanted });
      extensionEnd = Math.max(extensionEnd, this.extensionEnds.get(start) ?? 0);
      const opened = this.openers.get(start);
      if (opened) around.push(around.includes('line') || this.fitsLine(opened, depth) ? 'line' : 'lines');
      else if (after === '[' && !gap.field) around.push('list');
      else if (start >= extensionEnd && (after === '}' || after === '>' || after === ']')) around.pop();
      before = after;
      end = start + after.length;
    }
    return edits;
  }

  private between(gap: Gap, around: 'lines' | 'line' | 'list', depth: number): string {
    const { before, after, source } = gap;
    const breaks = source.split('\n').length - 1;
    if (after === '') return before === '' ? '' : this.newline;
    if (before === '') return '';
    const closes = after === '}' || after === '>' || after === ']';
    const lines = (extra = 0, most = 2) =>
      this.newline.repeat(Math.max(1, Math.min(breaks, most))) +
      this.options.indent.repeat(Math.max(0, depth + extra));
    const opensMessage = before === '{' || before === '<';
    if (after.startsWith('#')) {
      if (breaks === 0) return source === '' ? ' ' : source;
      return lines(this.continues(gap) ? 1 : 0, opensMessage ? 1 : 2);
    }
    if (before.startsWith('#'))
      return closes ? lines(-1, 1) : lines(gap.field ? 0 : around === 'list' ? 0 : 1);
    if (around === 'lines') {
      if (gap.field) return lines(0, opensMessage ? 1 : 2);
      if (closes) return opensMessage ? '' : lines(-1, 1);
    } else if (around === 'list' && breaks > 0 && after !== ',') return lines(closes ? -1 : 0, 1);
    else if (around === 'line' && closes && after !== ']') return opensMessage ? '' : ' ';
    return this.within(gap);
  }

  /** The blanks between tokens on one line. */
  private within({ before, after, source, list }: Gap): string {
    if (after === ':' || after === ',' || after === ';') return '';
    if (before === '-') return '';
    if (list && (before === '[' || after === ']')) return '';
    const parts = /^["']/.test(before) && /^["']/.test(after);
    if (parts && source.includes('\n'))
      return source.replace(/[ \t]*\r?\n\s*/, `${this.newline}${this.lineIndent(source)}`);
    return ' ';
  }

  /** The parts of a string keep the indentation they have, as it often aligns them. */
  private lineIndent(source: string): string {
    return source.slice(source.lastIndexOf('\n') + 1);
  }

  /** A comment stands in the middle of a field. */
  private continues({ before, index }: Gap): boolean {
    if (before === ':' || before === '-') return true;
    const { tokens, text } = this.prototxt;
    // Gaps come in order, so that all comments of a run find the token after it at once.
    if (this.significant < index) this.significant = nextSignificant(tokens, index);
    return tokens.kinds[this.significant] === TokenKind.Mark && text[tokens.starts[this.significant]] === ':';
  }

  /** A message that is on one line in the source and fits one when laid out. */
  private fitsLine(message: MessageNode, depth: number): boolean {
    const { text, tokens } = this.prototxt;
    const start = message.field!.start;
    if (text.slice(message.start, message.end).includes('\n')) return false;
    let length = this.options.indent.length * depth;
    let before = '';
    for (
      let index = floorIndex(tokens.starts, tokens.count, start);
      index < tokens.count && tokens.starts[index] < message.end;
      index++
    ) {
      if (tokens.kinds[index] === TokenKind.Space) continue;
      const after = text.slice(tokens.starts[index], tokens.starts[index + 1]);
      const gap: Gap = { before, after, source: '', field: false, list: false, index };
      if (before !== '')
        length +=
          (before === '{' || before === '<') && (after === '}' || after === '>')
            ? 0
            : this.within(gap).length;
      length += after.length;
      if (length > width) return false;
      before = after;
    }
    return true;
  }
}
