import type { PasswordHashing } from '../access/password.ts';
import type { TagChanges, UrlSettings } from '../url.ts';
import { type DestinationPolicy, UrlRejected } from './destination-policy.ts';
import { type InputField, type Violation, InputRejected } from './rules.ts';

/** The settings that a client sends, with a password in place of its hash. */
export type SettingsInput = Partial<Omit<UrlSettings, 'passwordHash'> & { password: string | null }>;

/** The fields that a client changes; all others stay unchanged. */
export type UrlPatch = SettingsInput & Partial<TagChanges> & { originalUrl?: string };

/** The fields of a new short URL; all others have their defaults. */
export interface UrlInput extends SettingsInput {
  originalUrl: string;
  /** A key of the pool by default. */
  customCode?: string | undefined;
}

/** Converts input to stored fields: normalises URLs and hashes passwords. Throws InputRejected with all violations,
 *  including the given ones, or Overloaded. */
export function createInputParser(deps: {
  normaliseUrl: DestinationPolicy;
  hashPassword: PasswordHashing['hashPassword'];
}) {
  const { normaliseUrl, hashPassword } = deps;

  return async function parseInput<Input extends UrlPatch>(
    input: Input,
    now: Date,
    earlier: Violation[] = [],
  ) {
    const violations = [...earlier];
    const { password, ...stored } = input;
    const normalise = (field: InputField, url: string): string => {
      try {
        return normaliseUrl(url);
      } catch (error) {
        if (!(error instanceof UrlRejected)) throw error;
        violations.push({ field, reason: error.message });
        return url;
      }
    };
    if (stored.originalUrl !== undefined) stored.originalUrl = normalise('originalUrl', stored.originalUrl);
    if (stored.fallbackUrl != null) stored.fallbackUrl = normalise('fallbackUrl', stored.fallbackUrl);
    if (stored.expiresAt && stored.expiresAt <= now)
      violations.push({ field: 'expiresAt', reason: 'must be in the future' });
    if (violations.length > 0) throw new InputRejected(violations);
    if (password === undefined) return stored;
    return { ...stored, passwordHash: password === null ? null : await hashPassword(password) };
  };
}
