import type { Context } from 'koa';
import { de } from './de.ts';
import { en, type Texts } from './en.ts';

/** The texts of each language. The first is the default. */
const catalogues = { en, de } satisfies Record<string, Texts>;

export type Language = keyof typeof catalogues;

const languages = Object.keys(catalogues) as Language[];

/** Builds one value for each language. */
export const inEachLanguage = <T>(build: (texts: Texts) => T): Record<Language, T> =>
  Object.fromEntries(languages.map((language) => [language, build(catalogues[language])])) as Record<
    Language,
    T
  >;

/** Which languages a client accepts, and a note that its answer varies by them. */
export type LanguageNegotiation = Pick<Context, 'acceptsLanguages' | 'vary'>;

/** The language that the client prefers (`Accept-Language` with weights, RFC 9110, 12.5.4), or English. The answer varies by this header. */
export function negotiateLanguage(client: LanguageNegotiation): Language {
  client.vary('Accept-Language');
  return (client.acceptsLanguages(...languages) || languages[0]) as Language;
}
