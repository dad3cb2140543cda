import { isReserved, shortCodePattern } from '../../keys/short-code.ts';

/** Which codes clients may choose. */
export interface CustomCodeRules {
  minLength: number;
  maxLength: number;
  /** `ascii`: letters, digits, "-" and "_"; `dots`: single dots between them too; `unicode`: letters and digits of every script too. */
  characters: (typeof codeCharacters)[number];
}

export const codeCharacters = ['ascii', 'dots', 'unicode'] as const;

export const defaultCodeRules: CustomCodeRules = { minLength: 4, maxLength: 32, characters: 'ascii' };

const patterns: Record<CustomCodeRules['characters'], RegExp> = {
  ascii: /^[\w-]+$/,
  dots: /^[\w-]+(?:\.[\w-]+)*$/,
  unicode: shortCodePattern,
};
const names: Record<CustomCodeRules['characters'], string> = {
  ascii: 'letters, digits, "-" or "_"',
  dots: 'letters, digits, "-" or "_", with single dots between',
  unicode: 'letters or digits of any script, "-" or "_", with single dots between',
};

/** Scripts whose letters look alike. */
const scripts = [/\p{Script=Latin}/u, /\p{Script=Greek}/u, /\p{Script=Cyrillic}/u];

/** Why a client may not choose a code, which is in normalisation form C; undefined where it may. A code that mixes scripts whose
 *  letters look alike, or has another form of a character, would be taken for another code. */
export function whyRefused(code: string, rules: CustomCodeRules): string | undefined {
  const { minLength, maxLength, characters } = rules;
  const length = Array.from(code).length;
  if (length < minLength || length > maxLength || !patterns[characters].test(code))
    return `must be ${minLength} to ${maxLength} ${names[characters]}`;
  if (isReserved(code)) return 'is a reserved word';
  if (scripts.filter((script) => script.test(code)).length > 1)
    return 'must not mix Latin, Greek and Cyrillic letters';
  if (code.normalize('NFKC') !== code) return 'must not contain another form of a character';
  return undefined;
}
