import type { Deletion, Requester } from './delete.ts';
import { type CustomCodeRules, customCodeViolation, reservedWord } from './input/custom-code.ts';
import { maxSuggestedCodes, suggestCodes } from './input/suggest-codes.ts';
import type { UrlStore } from './store/url-store.ts';
import { CodeDeleted } from './url.ts';

const maxSuggestions = 3;

/** The maximum number of codes that a check looks up. */
export const codesPerCheck = 1 + maxSuggestedCodes;

export const codeStates = ['free', 'taken', 'deleted', 'reserved', 'invalid'] as const;

/** What a create with a custom code would find. */
export interface CodeCheck {
  state: (typeof codeStates)[number];
  /** The broken rule of a reserved or invalid code. */
  violation?: string | undefined;
  /** The deleted short URL that has the code, for a client that may restore it. */
  deleted?: CodeDeleted | undefined;
  /** Free codes that resemble one that is not free. */
  suggestions: string[];
}

/** Checks custom codes under the rules of a create, and reveals nothing that a create would not reveal. */
export const createCodeChecks = (deps: {
  store: Pick<UrlStore, 'findFreeCodes'>;
  deletion: Pick<Deletion, 'codeConflict'>;
}) => ({
  /** Checks a normalised custom code. Reads the state of at most `codesPerCheck` codes. */
  async checkCode(code: string, rules: CustomCodeRules, requester: Requester): Promise<CodeCheck> {
    const violation = customCodeViolation(code, rules);
    const similar = suggestCodes(code, rules);
    const wanted = violation === undefined ? [code, ...similar] : similar;
    const free = await deps.store.findFreeCodes(wanted, requester.apiKeyId);
    if (free[0] === code) return { state: 'free', suggestions: [] };
    const suggestions = free.slice(0, maxSuggestions);
    if (violation !== undefined)
      return { state: violation === reservedWord ? 'reserved' : 'invalid', violation, suggestions };
    const conflict = await deps.deletion.codeConflict(code, requester);
    return conflict instanceof CodeDeleted
      ? { state: 'deleted', deleted: conflict, suggestions }
      : { state: 'taken', suggestions };
  },
});
