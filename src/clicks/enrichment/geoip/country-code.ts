const twoLetters = /^[A-Za-z]{2}$/;
/** Two letters that stand for "unknown". */
const unknownCountries = new Set(['XX', 'ZZ']);

/** The two capital letters of ISO 3166-1 that a text in any case stands for; empty where it is no country. `T1` is Tor. */
export function toCountryCode(text: unknown): string {
  if (typeof text !== 'string' || !twoLetters.test(text)) return '';
  const code = text.toUpperCase();
  return unknownCountries.has(code) ? '' : code;
}
