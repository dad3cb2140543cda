import { foldCode, isReserved, shortCodePattern } from '../../keys/short-code.ts';

/** The rules for custom codes. */
export interface CustomCodeRules {
  minLength: number;
  maxLength: number;
  /** `ascii`: letters, digits, "-" and "_"; `dots`: also single dots between them; `unicode`: also letters and digits
   *  of every script. */
  characters: (typeof codeCharacters)[number];
}

export const codeCharacters = ['ascii', 'dots', 'unicode'] as const;

export const defaultCodeRules: CustomCodeRules = { minLength: 4, maxLength: 32, characters: 'ascii' };

const patterns: Record<CustomCodeRules['characters'], RegExp> = {
  ascii: /^[\w-]+$/,
  dots: /^[\w-]+(?:\.[\w-]+)*$/,
  unicode: shortCodePattern,
};
const descriptions: Record<CustomCodeRules['characters'], string> = {
  ascii: 'letters, digits, "-" or "_"',
  dots: 'letters, digits, "-" or "_", with single dots between',
  unicode: 'letters or digits of any script, "-" or "_", with single dots between',
};

/** Scripts with look-alike letters. */
const scripts = [/\p{Script=Latin}/u, /\p{Script=Greek}/u, /\p{Script=Cyrillic}/u];

/** A custom code as it is validated and stored. */
export const normaliseCustomCode = (code: string): string => foldCode(code.normalize('NFC'));

/** The violation of a code that the service uses itself. */
export const reservedWord = 'is a reserved word';

/** Why a custom code in normalisation form C is invalid; undefined if it is valid. Mixed look-alike scripts and
 *  compatibility characters are invalid, because such a code could be mistaken for another one. */
export function customCodeViolation(code: string, rules: CustomCodeRules): string | undefined {
  const { minLength, maxLength, characters } = rules;
  const length = Array.from(code).length;
  if (length < minLength || length > maxLength || !patterns[characters].test(code))
    return `must be ${minLength} to ${maxLength} ${descriptions[characters]}`;
  if (isReserved(code)) return reservedWord;
  if (scripts.filter((script) => script.test(code)).length > 1)
    return 'must not mix Latin, Greek and Cyrillic letters';
  if (code.normalize('NFKC') !== code) return 'must not contain compatibility characters';
  return undefined;
}
