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
  readonly advice?: string;

  constructor(what: string, place: Place & { advice?: string; cause?: unknown } = {}) {
    super(what, place.cause === undefined ? undefined : { cause: place.cause });
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
    const { message, layer, byteOffset, line, advice } = error;
    return new CaffeError(message, { file, layer, byteOffset, line, advice, cause: error });
  }

  /** The whole message in one paragraph: "lenet.caffemodel, layer "ip1", byte 812: what happened. What to do." */
  describe(): string {
    const where = [
      this.file,
      this.layer === undefined ? undefined : `layer "${this.layer}"`,
      this.byteOffset === undefined ? undefined : `byte ${this.byteOffset}`,
      this.line === undefined ? undefined : `line ${this.line}`,
    ].filter((part) => part !== undefined);
    const sentence = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`);
    return `${where.length > 0 ? `${where.join(', ')}: ` : ''}${sentence(this.message)}${this.advice ? ` ${sentence(this.advice)}` : ''}`;
  }
}
