import { phrase, type Phrase } from '../../phrase';
import { replaceWith } from './diagnostic';
import {
  nextSignificant,
  type FieldNode,
  type Fix,
  type MessageNode,
  type Prototxt,
  type ScalarNode,
  type Span,
  type ValueNode,
} from './tree';
import { TokenKind, tokenize, type Tokens } from './lexer';

/** Messages nested deeper than this are not looked into. Caffe's own reach five levels, protobuf's limit is 100 too. */
export const depthLimit = 100;

/**
 * Parses any text as protobuf text format. It never fails: what does not fit becomes a problem, and the fields around it
 * are still found. A field `layer` at the start of a line, as far left as the `layer` that encloses it, is taken for
 * the next layer: so a brace that is missing while one types does not swallow the rest of the net.
 * Time is proportional to the length of the text, and nothing recurses.
 */
export function parsePrototxt(text: string): Prototxt {
  const tokens = tokenize(text);
  const parser = new Parser(tokens);
  parser.run();
  return {
    text,
    tokens,
    root: parser.root,
    problems: parser.problems,
    comments: commentsOf(tokens),
    lines: linesOf(text),
  };
}

/** An escape in a string, or a backslash that begins none. */
const escape = /\\(?:[0-7]{1,3}|[xX][0-9a-fA-F]{1,2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[abfnrtv\\?'"])|\\/g;

class Field implements FieldNode {
  readonly values: ValueNode[] = [];
  list = false;

  constructor(
    readonly name: string,
    readonly start: number,
    public end: number,
    readonly parent: MessageNode,
  ) {}

  /** Worked out when asked for, since a file has many thousands of them. */
  get nameSpan(): Span {
    return { start: this.start, end: this.start + this.name.length };
  }
}

class Parser {
  readonly root: MessageNode;
  readonly problems: Prototxt['problems'] = [];
  private message: MessageNode;
  private depth = 0;
  private index = 0;
  /** End of the last token that was no blank. */
  private end = 0;
  /** Where the last block comment of the text ends, once that was looked for. */
  private lastBlockEnd?: number;

  constructor(private readonly tokens: Tokens) {
    const all = { start: 0, end: tokens.text.length };
    this.root = { kind: 'message', ...all, inner: all, fields: [], closed: true };
    this.message = this.root;
  }

  run(): void {
    this.skip();
    while (this.index < this.tokens.count) {
      if (this.isCloser()) this.close();
      else if (this.kind() === TokenKind.Identifier || this.is('[')) this.field();
      else this.unexpected();
    }
    while (this.message !== this.root) this.leaveOpen();
  }

  private kind(): TokenKind {
    return this.tokens.kinds[this.index];
  }

  private start(): number {
    return this.tokens.starts[this.index];
  }

  /** Of the token that is next. */
  private span(): Span {
    return { start: this.start(), end: this.tokens.starts[this.index + 1] };
  }

  private is(mark: string): boolean {
    return this.kind() === TokenKind.Mark && this.tokens.text[this.start()] === mark;
  }

  /** What is written in the place of a colon: `=`, or the colon of Chinese. */
  private otherColon(): string | undefined {
    if (this.kind() !== TokenKind.Unknown) return undefined;
    const { start, end } = this.span();
    const mark = this.tokens.text.slice(start, end);
    return mark === '=' || mark === '：' ? mark : undefined;
  }

  private isCloser(): boolean {
    return this.is('}') || this.is('>');
  }

  private more(): boolean {
    return this.index < this.tokens.count;
  }

  /** Goes to the next token that matters. */
  private advance(): void {
    this.end = this.tokens.starts[this.index + 1];
    this.index++;
    this.skip();
  }

  private skip(): void {
    this.index = nextSignificant(this.tokens, this.index);
    while (this.more() && this.kind() === TokenKind.Unknown && this.invisible())
      this.index = nextSignificant(this.tokens, this.index + 1);
  }

  /** Tells of a blank that is none here, as they come with text from web pages: nobody would see what is unexpected. */
  private invisible(): boolean {
    const { start, end } = this.span();
    const text = this.tokens.text.slice(start, Math.min(end, start + 20));
    if (!/^[\u00a0\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]+$/.test(text)) return false;
    const code = `U+${text.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
    // What has no width may stand in the middle of a word.
    const instead = /[\u200b-\u200f\u2060-\u206f\ufeff]/.test(text) ? '' : ' ';
    const fix: Fix = {
      title: phrase`Remove ${code}`,
      edits: [{ start, end, text: instead }],
      preferred: true,
    };
    this.problem(phrase`An invisible character that is no blank stands here (${code})`, start, end, fix);
    return true;
  }

  private problem(
    message: Phrase,
    start = this.start(),
    end = this.tokens.starts[this.index + 1],
    fix?: Fix,
  ): void {
    this.problems.push({ message, start, end, fix });
  }

  /** Tells of a run of tokens that begin no field, once. */
  private unexpected(): void {
    if (this.foreignComment()) return;
    const start = this.start();
    const kind = this.kind();
    while (this.more() && !this.isCloser() && this.kind() !== TokenKind.Identifier && !this.is('['))
      this.advance();
    const text = this.tokens.text.slice(start, Math.min(this.end, start + 20));
    if (this.severalValues(start)) return;
    const what =
      kind === TokenKind.String || kind === TokenKind.OpenString || kind === TokenKind.Number
        ? phrase`The value ${text} belongs to no field`
        : phrase`Unexpected ${JSON.stringify(text)}; a field such as "name: value" was expected`;
    this.problem(what, start, this.end);
  }

  /** Tells of numbers that follow a number, `dim: 1, 3`: a list without its brackets. */
  private severalValues(start: number): boolean {
    const field = this.message.fields.at(-1);
    const [value] = field?.values ?? [];
    if (!field || field.list || value?.kind !== 'number' || start - field.end > 20) return false;
    const { text } = this.tokens;
    const { end } = this;
    if (!/^\s*,\s[-\d.,\se]*$/.test(text.slice(field.end, Math.min(end, start + 200)))) return false;
    const several = `[${text.slice(value.start, end)}]`;
    const fix = replaceWith({ start: value.start, end }, several);
    this.problem(phrase`Several values stand in brackets: ${several}`, start, end, fix);
    return true;
  }

  /** Passes over a comment as other languages have it: from `//` to the end of the line, or from `/*` to its end. */
  private foreignComment(): boolean {
    const { text, starts } = this.tokens;
    const start = this.start();
    const mark = text.slice(start, start + 2);
    if (mark !== '//' && mark !== '/*') return false;
    if (mark === '/*' && this.lastBlockEnd === undefined) this.lastBlockEnd = text.lastIndexOf('*/');
    const block = mark === '/*' && this.lastBlockEnd! >= start + 2;
    const line = text.indexOf('\n', start);
    const end = block ? text.indexOf('*/', start + 2) + 2 : line < 0 ? text.length : line;
    while (this.more() && this.start() < end) {
      this.end = starts[this.index + 1];
      this.index++;
    }
    this.skip();
    const fix = mark === '//' ? replaceWith({ start, end: start + 2 }, '#') : undefined;
    this.problem(phrase`A comment begins with "#", not with "${mark}"`, start, end, fix);
    return true;
  }

  /** Passes over a value in the quotes of a word processor. */
  private wordQuotes(): boolean {
    if (this.kind() !== TokenKind.Unknown) return false;
    const { text } = this.tokens;
    const start = this.start();
    const quoted = /^[“”„‘’‚][^“”„‘’‚\n]{0,200}[“”‘’]/.exec(text.slice(start, start + 202))?.[0];
    if (quoted === undefined) return false;
    const end = start + quoted.length;
    while (this.more() && this.start() < end) this.advance();
    const plain = JSON.stringify(quoted.slice(1, -1));
    this.problem(
      phrase`A string stands in plain quotes: ${plain}`,
      start,
      end,
      replaceWith({ start, end }, plain),
    );
    return true;
  }

  private field(): void {
    const start = this.start();
    this.leaveLayersBefore(start);
    const name = this.is('[') ? this.extensionName() : this.word();
    const nameEnd = this.end;
    const field = new Field(name, start, nameEnd, this.message);
    this.message.fields.push(field);
    const other = this.otherColon();
    if (other !== undefined) {
      const span = this.span();
      this.problem(phrase`Expected ":" instead of "${other}"`, span.start, span.end, replaceWith(span, ':'));
    }
    const colon = other !== undefined || this.is(':');
    if (colon) this.advance();
    if (this.is('{') || this.is('<')) {
      this.open(field);
      return;
    }
    if (this.is('[')) {
      this.list(field, colon);
      return;
    }
    if (this.wordQuotes()) {
      this.finish(field);
      return;
    }
    const value = this.startsNextField(nameEnd) ? undefined : this.scalar();
    if (value) {
      field.values.push(value);
      if (!colon)
        this.problem(phrase`Expected ":" between "${name}" and its value`, start, value.end, {
          title: phrase`Add ${':'}`,
          edits: [{ start: nameEnd, end: nameEnd, text: ':' }],
          preferred: true,
        });
    } else if (colon) this.problem(phrase`"${name}" has no value`, start, this.end);
    else this.problem(phrase`Expected ":" and a value, or "{", after "${name}"`, start, nameEnd);
    this.finish(field);
  }

  private word(): string {
    const word = this.tokens.text.slice(this.start(), this.tokens.starts[this.index + 1]);
    this.advance();
    return word;
  }

  /** `[package.extension]` or `[host/type]`, as one name. */
  private extensionName(): string {
    const start = this.start();
    this.advance();
    while (this.kind() === TokenKind.Identifier || this.is('.') || this.is('/') || this.is('-'))
      this.advance();
    if (this.is(']')) this.advance();
    else this.problem(phrase`The name in brackets has no "]"`, start, this.end);
    return this.tokens.text.slice(start, this.end);
  }

  /** A scalar, or undefined where there is none. */
  private scalar(): ScalarNode | undefined {
    const start = this.start();
    const minus = this.is('-');
    if (minus) this.advance();
    switch (this.kind()) {
      case TokenKind.Identifier:
        this.advance();
        return { kind: minus ? 'number' : 'identifier', start, end: this.end };
      case TokenKind.Number:
        this.advance();
        return { kind: 'number', start, end: this.end };
      case TokenKind.String:
      case TokenKind.OpenString:
        if (minus) break;
        while (this.kind() === TokenKind.String || this.kind() === TokenKind.OpenString) {
          if (this.kind() === TokenKind.OpenString) this.problem(phrase`The string has no closing quote`);
          else this.checkEscapes();
          this.advance();
        }
        return { kind: 'string', start, end: this.end };
    }
    if (minus) this.problem(phrase`Expected a number after "-"`, start, this.end);
    return undefined;
  }

  /** Tells of the first escape in a string that there is none of; mostly it is a path of Windows. */
  private checkEscapes(): void {
    const { start, end } = this.span();
    const raw = this.tokens.text.slice(start, end);
    if (!raw.includes('\\')) return;
    for (const { 0: found, index } of raw.matchAll(escape)) {
      if (found !== '\\') continue;
      const [from, to] = [start + index, start + index + 2];
      const path = raw.replace(/\\(?:\\|(?!["']))/g, '/');
      const fix = replaceWith({ start, end }, path);
      this.problem(
        phrase`There is no escape ${raw.slice(index, index + 2)}: paths are written with /, a backslash itself as \\\\`,
        from,
        to,
        fix,
      );
      return;
    }
  }

  /** The token begins the next field, on a line of its own, rather than this field's value, which is missing. */
  private startsNextField(after: number): boolean {
    if (this.kind() !== TokenKind.Identifier) return false;
    const next = nextSignificant(this.tokens, this.index + 1);
    const mark = this.tokens.kinds[next] === TokenKind.Mark ? this.tokens.text[this.tokens.starts[next]] : '';
    if (mark !== ':' && mark !== '{' && mark !== '<') return false;
    return this.tokens.text.slice(after, this.start()).includes('\n');
  }

  private open(field: FieldNode): void {
    const start = this.start();
    this.advance();
    const message: MessageNode = {
      kind: 'message',
      start,
      end: start + 1,
      inner: { start: start + 1, end: start + 1 },
      fields: [],
      field,
      closed: false,
    };
    field.values.push(message);
    if (this.depth === depthLimit) {
      this.problem(
        phrase`Messages are nested more than ${depthLimit} deep here; they are not looked into`,
        start,
        start + 1,
      );
      this.skipNested();
      message.end = message.inner.end = field.end = this.end;
      this.finish(field);
      return;
    }
    this.depth++;
    this.message = message;
  }

  /** Passes over what follows an opening brace up to its closing one. */
  private skipNested(): void {
    for (let open = 1; open > 0 && this.more(); this.advance())
      if (this.is('{') || this.is('<')) open++;
      else if (this.isCloser()) open--;
  }

  private close(): void {
    const { message } = this;
    if (message === this.root) {
      const { start, end } = this.span();
      this.problem(phrase`There is no message to close here`, start, end, {
        title: phrase`Remove ${this.tokens.text.slice(start, end)}`,
        edits: [{ start, end, text: '' }],
      });
      this.advance();
      return;
    }
    const opener = this.tokens.text[message.start];
    const closer = this.tokens.text[this.start()];
    if ((opener === '{') !== (closer === '}')) {
      const expected = opener === '{' ? '}' : '>';
      const { start, end } = this.span();
      this.problem(
        phrase`"${opener}" is closed by "${closer}"; expected "${expected}"`,
        start,
        end,
        replaceWith({ start, end }, expected),
      );
    }
    message.inner.end = this.start();
    message.closed = true;
    this.advance();
    this.leave(this.end);
  }

  /** Ends a message that has no closing brace. */
  private leaveOpen(): void {
    const { message } = this;
    const name = message.field!.name;
    this.problem(phrase`"${name}" is never closed`, message.field!.start, message.start + 1);
    message.inner.end = this.more() ? this.start() : this.tokens.text.length;
    this.leave(message.inner.end);
  }

  private leave(end: number): void {
    const { message } = this;
    const field = message.field!;
    message.end = field.end = end;
    this.depth--;
    this.message = field.parent;
    // A list of messages goes on after each of them.
    if (field.list && message.closed) this.restOfList(field);
    else this.finish(field);
  }

  /** Leaves the layer that a new one at the start of a line, no further right, cannot be part of. */
  private leaveLayersBefore(start: number): void {
    if (this.message === this.root) return;
    const name = this.tokens.text.slice(start, this.tokens.starts[this.index + 1]);
    let outer = this.message.field;
    while (outer && outer.name !== name) outer = outer.parent.field;
    const column = outer && this.column(start);
    if (!outer || column === undefined || column > (this.column(outer.start) ?? -1)) return;
    while (this.message !== outer.parent) this.leaveOpen();
  }

  /** Blanks before `start` on its line; undefined when there is more than blanks, or more of them than one indents. */
  private column(start: number): number | undefined {
    let at = start;
    const { text } = this.tokens;
    while (at > 0 && start - at < 1000 && (text[at - 1] === ' ' || text[at - 1] === '\t')) at--;
    return at === 0 || text[at - 1] === '\n' ? start - at : undefined;
  }

  private list(field: FieldNode, colon: boolean): void {
    field.list = true;
    const start = this.start();
    this.advance();
    if (!colon && !this.is('{') && !this.is('<'))
      this.problem(phrase`Expected ":" between "${field.name}" and its values`, field.start, start);
    if (this.is(']')) this.endList(field);
    else this.listValues(field);
  }

  private listValues(field: FieldNode): void {
    for (;;) {
      if (this.is('{') || this.is('<')) {
        this.open(field);
        if (this.message.field === field) return;
        continue;
      }
      const value = this.startsNextField(this.end) ? undefined : this.scalar();
      if (!value) {
        this.problem(phrase`The list of "${field.name}" has no "]"`, field.start, this.end);
        this.finish(field);
        return;
      }
      field.values.push(value);
      if (!this.is(',')) break;
      this.advance();
    }
    this.endList(field);
  }

  /** After a message in a list: another value, or the end of the list. */
  private restOfList(field: FieldNode): void {
    if (this.is(',')) {
      this.advance();
      this.listValues(field);
    } else this.endList(field);
  }

  private endList(field: FieldNode): void {
    if (this.is(']')) this.advance();
    else this.problem(phrase`The list of "${field.name}" has no "]"`, field.start, this.end);
    this.finish(field);
  }

  /** Ends a field; a comma or semicolon after it is part of it. */
  private finish(field: FieldNode): void {
    field.end = Math.max(field.end, this.end);
    if (this.is(',') || this.is(';')) this.advance();
  }
}

function commentsOf(tokens: Tokens): Prototxt['comments'] {
  const comments = [];
  for (let index = 0; index < tokens.count; index++)
    if (tokens.kinds[index] === TokenKind.Comment)
      comments.push({ start: tokens.starts[index], end: tokens.starts[index + 1] });
  return comments;
}

function linesOf(text: string): Uint32Array {
  const lines = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines.push(at + 1);
  return Uint32Array.from(lines);
}
