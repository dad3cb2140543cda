import type { PasswordHashing } from '../access/password-hashing.ts';
import type { UrlSettings } from '../url.ts';
import { type DestinationPolicy, UrlRejected } from './destination-policy.ts';
import { type Asked, type Violation, InputRejected } from './rules.ts';

/** Settings as they are asked for: a password stands in place of its hash. */
export type SettingsInput = Partial<Omit<UrlSettings, 'passwordHash'> & { password: string | null }>;

/** What somebody asks a short URL to become; what it does not say stays. */
export type UrlPatch = SettingsInput & { originalUrl?: string };

/** What somebody asks a new short URL to be; what it does not say is as by default. */
export interface UrlInput extends SettingsInput {
  originalUrl: string;
  /** A key of the pool unless it is given. */
  customCode?: string | undefined;
}

/** Makes wishes what is stored: URLs normalised, passwords hashed. Throws InputRejected for each URL that the policy refuses, for an
 *  expiry that is over at `now` and for what is known to be refused already, or Overloaded. */
export function createInputParser(deps: {
  normaliseUrl: DestinationPolicy;
  hashPassword: PasswordHashing['hashPassword'];
}) {
  const { normaliseUrl, hashPassword } = deps;

  return async function parseInput<Wish extends UrlPatch>(wish: Wish, now: Date, known: Violation[] = []) {
    const refusals = [...known];
    const { password, ...stored } = wish;
    const normalise = (asked: Asked, url: string): string => {
      try {
        return normaliseUrl(url);
      } catch (error) {
        if (!(error instanceof UrlRejected)) throw error;
        refusals.push({ asked, reason: error.message });
        return url;
      }
    };
    if (stored.originalUrl !== undefined) stored.originalUrl = normalise('originalUrl', stored.originalUrl);
    if (stored.fallbackUrl != null) stored.fallbackUrl = normalise('fallbackUrl', stored.fallbackUrl);
    if (stored.expiresAt && stored.expiresAt <= now)
      refusals.push({ asked: 'expiresAt', reason: 'must be in the future' });
    if (refusals.length > 0) throw new InputRejected(refusals);
    if (password === undefined) return stored;
    return { ...stored, passwordHash: password === null ? null : await hashPassword(password) };
  };
}
