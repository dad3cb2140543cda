import { randomInt } from 'node:crypto';
import { type CustomCodeRules, customCodeViolation, normaliseCustomCode } from './custom-code.ts';

/** Numbers that follow a code: short ones first, because they are easier to read. Digits belong to no script, so no code mixes scripts. */
const numbers = (): number[] => [
  2,
  3,
  4,
  ...[10, 10, 100, 100, 1_000, 1_000].map((least) => randomInt(least, least * 10)),
];

/** The number of codes that `suggestCodes` returns at most. */
export const maxSuggestedCodes = numbers().length;

/** Returns valid custom codes that resemble a text, the most similar first; some may be in use. */
export function suggestCodes(text: string, rules: CustomCodeRules): string[] {
  const suffixes = [...new Set(numbers())].map(String);
  for (const base of [toBase(text, rules.characters), toBase(text, 'ascii'), '']) {
    const codes = suffixes
      .map((suffix) => join(base, suffix, rules))
      .filter((code) => code !== text && customCodeViolation(code, rules) === undefined);
    if (codes.length > 0) return [...new Set(codes)];
  }
  return [];
}

const forbidden: Record<CustomCodeRules['characters'], RegExp> = {
  ascii: /[^A-Za-z\d_]+/g,
  dots: /[^A-Za-z\d_.]+/g,
  unicode: /[^\p{L}\p{M}\p{N}_.]+/gu,
};

/** A text without characters that are not allowed, and without a number of one or two digits at its end. */
function toBase(text: string, characters: CustomCodeRules['characters']): string {
  const letters = characters === 'unicode' ? text : text.normalize('NFKD').replaceAll(/\p{M}/gu, '');
  return normaliseCustomCode(letters)
    .replaceAll(forbidden[characters], '-')
    .replaceAll(/[.-]*\.[.-]*/g, '.')
    .replace(/-\d{1,2}$/, '')
    .replaceAll(/^[.-]+|[.-]+$/g, '');
}

/** A base, cut to the maximum length, with a suffix that fills it up to the minimum length. */
function join(base: string, suffix: string, { minLength, maxLength }: CustomCodeRules): string {
  const cut = Array.from(base)
    .slice(0, Math.max(maxLength - suffix.length - 1, 0))
    .join('')
    .replace(/[.-]+$/, '');
  const begin = cut === '' ? '' : `${cut}-`;
  const missing = Math.max(minLength - Array.from(begin).length - suffix.length, 0);
  return begin + suffix + Array.from({ length: missing }, () => randomInt(10)).join('');
}
