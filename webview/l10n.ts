let texts: Record<string, string> = {};
let language = 'en';

/** Takes the translations that the extension passes on; to be called before anything is shown. */
export function setLanguage(tag: string, translations: Record<string, string>): void {
  language = tag;
  texts = translations;
}

/** The language tag for numbers. */
export const currentLanguage = (): string => language;

/** A text in the user's language, with `{0}`, `{1}`… replaced by the arguments; the text itself is the key. */
export function t(text: string, ...args: (string | number)[]): string {
  return (texts[text] ?? text).replace(/\{(\d+)\}/g, (placeholder, index: string) =>
    String(args[Number(index)] ?? placeholder),
  );
}
