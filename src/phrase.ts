/**
 * A text for the user that can be translated wherever it is shown: a template, which is the key of its translations, and
 * what stands in its places `{0}`, `{1}`… Plain data, so that it travels between processes.
 */
export interface Phrase {
  readonly template: string;
  readonly args: readonly Part[];
}

/** What may stand in a phrase: names and numbers, which are the same in every language, and other phrases. */
export type Part = string | number | Phrase;

/** Tags what is said: phrase`the file ends at byte ${size}`. */
export const phrase = (strings: TemplateStringsArray, ...args: Part[]): Phrase => ({
  template: strings.reduce((text, string, index) => `${text}{${index - 1}}${string}`),
  args,
});

/** Several things, one after the other: "a, b, c". */
export const listed = (parts: readonly Part[]): Part =>
  parts.reduce((before, part) => phrase`${before}, ${part}`);

/** A phrase as a text: in English, or as `translations` have its template. */
export function textOf(part: Part, translations: Readonly<Record<string, string>> = {}): string {
  if (typeof part !== 'object') return String(part);
  return (translations[part.template] ?? part.template).replace(/\{(\d+)\}/g, (place, index: string) =>
    Number(index) < part.args.length ? textOf(part.args[Number(index)], translations) : place,
  );
}
