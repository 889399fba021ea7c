import { listed, phrase, textOf, type Part, type Phrase } from '../phrase';

/** Why something failed, for an error that says what could not be done: of a system's error its code, where it has one. */
export const reasonOf = (cause: unknown): Part => {
  if (cause instanceof CaffeError) return cause.what;
  if (!(cause instanceof Error)) return String(cause);
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
};

/** Where something went wrong, as far as it is known. */
export interface Place {
  /** Path or URI of the file, as the user knows it. */
  file?: string;
  /** Name of the layer. */
  layer?: string;
  /** Offset in the file, in bytes. */
  byteOffset?: number;
  /** Line in a text file, counted from 1. */
  line?: number;
}

const sentence = (said: Phrase): Phrase => (/[.!?]$/.test(textOf(said)) ? said : phrase`${said}.`);

/** Two phrases as sentences, one after the other. */
export const sentences = (first: Phrase, second: Phrase): Phrase =>
  phrase`${sentence(first)} ${sentence(second)}`;

/**
 * An error meant for the user: what happened, where, and what to do about it.
 * Everything else that is thrown is a defect of ours.
 */
export class CaffeError extends Error implements Place {
  readonly file?: string;
  readonly layer?: string;
  readonly byteOffset?: number;
  readonly line?: number;
  /** What the user can do. */
  readonly advice?: Phrase;

  constructor(
    /** What happened; `message` is its English. */
    readonly what: Phrase,
    place: Place & { advice?: Phrase; cause?: unknown } = {},
  ) {
    super(textOf(what), place.cause === undefined ? undefined : { cause: place.cause });
    this.name = 'CaffeError';
    this.file = place.file;
    this.layer = place.layer;
    this.byteOffset = place.byteOffset;
    this.line = place.line;
    this.advice = place.advice;
  }

  /** What was thrown, as an error in this file where it is one for the user that names none. */
  static in(file: string, error: unknown): unknown {
    if (!(error instanceof CaffeError) || error.file !== undefined) return error;
    const { what, layer, byteOffset, line, advice } = error;
    return new CaffeError(what, { file, layer, byteOffset, line, advice, cause: error });
  }

  /** The whole message in one paragraph: "lenet.caffemodel, layer "ip1", byte 812: what happened. What to do." */
  description(): Phrase {
    const where: Part[] = [
      this.file,
      this.layer === undefined ? undefined : phrase`layer "${this.layer}"`,
      this.byteOffset === undefined ? undefined : phrase`byte ${this.byteOffset}`,
      this.line === undefined ? undefined : phrase`line ${this.line}`,
    ].filter((part) => part !== undefined);
    const what = this.advice ? sentences(this.what, this.advice) : sentence(this.what);
    if (where.length === 0) return what;
    return phrase`${listed(where)}: ${what}`;
  }

  /** {@link description} in English. */
  describe(): string {
    return textOf(this.description());
  }
}
