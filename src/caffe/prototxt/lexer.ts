/** What a token of a prototxt is. `unknown` is a byte that the text format has no use for, such as NUL. */
export const enum TokenKind {
  Space,
  Comment,
  Identifier,
  Number,
  String,
  /** A string that ends with its line instead of a quote. */
  OpenString,
  /** One of `{ } < > [ ] : , ; - /` and `.`. */
  Mark,
  Unknown,
}

/**
 * The tokens of a text. They tile it: token `i` is `text.slice(starts[i], starts[i + 1])`, so that nothing, not even a
 * blank, is lost. There are `count` of them, and `starts[count]` is the length of the text.
 */
export interface Tokens {
  text: string;
  count: number;
  kinds: Uint8Array;
  starts: Uint32Array;
}

const enum Class {
  Unknown,
  Space,
  Letter,
  Digit,
  Mark,
}

const classes = new Uint8Array(128);
for (const mark of '{}<>[]:,;-/.') classes[mark.charCodeAt(0)] = Class.Mark;
for (const space of ' \t\r\n\v\f') classes[space.charCodeAt(0)] = Class.Space;
for (let code = 0; code < 26; code++) classes[65 + code] = classes[97 + code] = Class.Letter;
for (let code = 0; code < 10; code++) classes[48 + code] = Class.Digit;
classes['_'.charCodeAt(0)] = Class.Letter;

const classOf = (code: number): Class => (code < 128 ? classes[code] : Class.Unknown);

/** What some editors put at the very beginning of a text; anywhere else it is no blank. */
const byteOrderMark = 0xfeff;

/** Splits any text into tokens, in one pass and time proportional to its length. */
export function tokenize(text: string): Tokens {
  let capacity = Math.max(64, text.length >> 1);
  let kinds = new Uint8Array(capacity);
  let starts = new Uint32Array(capacity + 1);
  let count = 0;
  let at = 0;
  while (at < text.length) {
    if (count === capacity) {
      capacity *= 2;
      kinds = grow(kinds, new Uint8Array(capacity));
      starts = grow(starts, new Uint32Array(capacity + 1));
    }
    starts[count] = at;
    const code = text.charCodeAt(at);
    let kind: TokenKind;
    switch (at === 0 && code === byteOrderMark ? Class.Space : classOf(code)) {
      case Class.Space:
        kind = TokenKind.Space;
        do at++;
        while (at < text.length && classOf(text.charCodeAt(at)) === Class.Space);
        break;
      case Class.Letter:
        kind = TokenKind.Identifier;
        do at++;
        while (isWord(text.charCodeAt(at)));
        break;
      case Class.Digit:
        kind = TokenKind.Number;
        at = endOfNumber(text, at);
        break;
      case Class.Mark:
        if (code === 46 && classOf(text.charCodeAt(at + 1)) === Class.Digit) {
          kind = TokenKind.Number;
          at = endOfNumber(text, at);
        } else {
          kind = TokenKind.Mark;
          at++;
        }
        break;
      default:
        if (code === 35) {
          kind = TokenKind.Comment;
          at = endOfLine(text, at);
        } else if (code === 34 || code === 39) {
          at = endOfString(text, at, code);
          kind = at > 0 ? TokenKind.String : TokenKind.OpenString;
          at = Math.abs(at);
        } else {
          kind = TokenKind.Unknown;
          do at++;
          while (at < text.length && isUnknown(text.charCodeAt(at)));
        }
    }
    kinds[count++] = kind;
  }
  starts[count] = text.length;
  return { text, count, kinds, starts };
}

const isWord = (code: number): boolean => {
  const kind = classOf(code);
  return kind === Class.Letter || kind === Class.Digit;
};

const isUnknown = (code: number): boolean =>
  classOf(code) === Class.Unknown && code !== 35 && code !== 34 && code !== 39;

/** A number reaches as far as letters, digits, dots and signs of exponents do: `1.2.3` is one wrong number, not two. */
function endOfNumber(text: string, start: number): number {
  const hexadecimal = text[start] === '0' && /x/i.test(text[start + 1] ?? '');
  let at = start + 1;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isWord(code) || code === 46) continue;
    const exponent = (code === 43 || code === 45) && !hexadecimal && /e/i.test(text[at - 1]);
    if (!exponent) break;
  }
  return at;
}

function endOfLine(text: string, start: number): number {
  const end = text.indexOf('\n', start);
  const line = end < 0 ? text.length : end;
  return text[line - 1] === '\r' ? line - 1 : line;
}

/** The end of a string, or the negative of it when the line or the text ends before the quote. */
function endOfString(text: string, start: number, quote: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) return at + 1;
    if (code === 10) return -(text[at - 1] === '\r' ? at - 1 : at);
    if (code === 92) at++;
  }
  return -text.length;
}

function grow<T extends Uint8Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
