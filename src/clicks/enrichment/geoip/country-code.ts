const twoLetters = /^[A-Za-z]{2}$/;
/** Codes that mean "unknown". */
const unknownCountries = new Set(['XX', 'ZZ']);

/** Normalizes an ISO 3166-1 alpha-2 code to upper case; empty for anything else. `T1` (Tor) is not a country. */
export function toCountryCode(text: unknown): string {
  if (typeof text !== 'string' || !twoLetters.test(text)) return '';
  const code = text.toUpperCase();
  return unknownCountries.has(code) ? '' : code;
}
