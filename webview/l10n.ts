import { type Part, textOf } from '../src/phrase';
import { toErrorValue } from '../src/rpc';

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
export const t = (template: string, ...args: Part[]): string => translated({ template, args });

/** Sentences, one after the other; what is none is left out. */
export const paragraph = (...said: (string | false | undefined)[]): string =>
  said
    .filter((one): one is string => typeof one === 'string')
    .reduce((before, next) => (before === '' ? next : t('{0} {1}', before, next)), '');

/** What the extension or the worker said, in the user's language. */
export const translated = (said: Part): string => textOf(said, texts);

/** Why a request failed, in the user's language. */
export const reasonOf = (error: unknown): string => translated(toErrorValue(error).text);
