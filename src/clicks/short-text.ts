/** Characters that a text of a detail has at most. */
export const maxTextLength = 100;

// oxlint-disable-next-line no-control-regex
const unsafe = /[\0-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]/gu;

/** What of a client's text is kept: at most 100 characters, none of them a control character, a line break or half of a pair. */
export function toShortText(text: string): string {
  const cut = text.slice(0, maxTextLength).replace(unsafe, '');
  // A part of a string keeps all of it in memory.
  return cut === text ? text : copyOf(cut);
}

/** Whether a text is what toShortText makes. */
export const isShortText = (text: string) => text.length <= maxTextLength && text.search(unsafe) === -1;

/** A copy that does not hold on to the longer text that it is a part of. */
export const copyOf = (text: string) => Buffer.from(text).toString();
