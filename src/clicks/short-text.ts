/** Maximum length of a detail text. */
export const maxTextLength = 100;

// oxlint-disable-next-line no-control-regex
const unsafe = /[\0-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]/gu;

/** Sanitizes a client's text: at most 100 characters, without control characters, line breaks and unpaired
 *  surrogates. */
export function toShortText(text: string): string {
  const cut = text.slice(0, maxTextLength).replace(unsafe, '');
  // A substring keeps the whole string in memory.
  return cut === text ? text : copyOf(cut);
}

/** Whether `toShortText` would leave the text unchanged. */
export const isShortText = (text: string) => text.length <= maxTextLength && text.search(unsafe) === -1;

/** Copies a substring, so that V8 can free the longer string behind it. */
export const copyOf = (text: string) => Buffer.from(text).toString();
