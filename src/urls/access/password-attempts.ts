import { networkHashOf } from '../../rate-limits/client-networks.ts';
import type { FixedWindowCounter } from '../../rate-limits/fixed-window.ts';

/** Attempts per network and short URL within 15 minutes. */
export const attemptsPerNetwork = 5;
export const networkWindowSeconds = 15 * 60;
/** Attempts of all networks per short URL within an hour; beyond it, each network has one attempt per 15 minutes. */
export const attemptsPerUrl = 100;
export const urlWindowSeconds = 60 * 60;

export type PasswordAttempts = ReturnType<typeof createPasswordAttempts>;

/** An attempt to open a password-protected short URL. */
export interface PasswordAttempt {
  urlId: number;
  passwordHash: string;
  address: string;
}

/** Limits password attempts per short URL. A network's first attempt is always allowed, so no client can lock out others. No
 *  address is stored: its name is keyed with the password hash, and cannot be reversed without it. */
export function createPasswordAttempts(counts: { byNetwork: FixedWindowCounter; byUrl: FixedWindowCounter }) {
  const { byNetwork, byUrl } = counts;

  return {
    /** Counts an attempt. Resolves to the seconds to wait if it is not allowed, otherwise to undefined. */
    async begin(attempt: PasswordAttempt): Promise<number | undefined> {
      const own = await byNetwork.add(keyOf(attempt), 1);
      // A rejected attempt does not count against the shared limit.
      if (own.count > attemptsPerNetwork) return toSeconds(own.endsInMs);
      const all = await byUrl.add(String(attempt.urlId), 1);
      if (all.count > attemptsPerUrl && own.count > 1) return toSeconds(Math.min(own.endsInMs, all.endsInMs));
      return undefined;
    },

    /** Reverts an attempt that could not be checked because the service was overloaded. */
    async undo(attempt: PasswordAttempt): Promise<void> {
      await Promise.all([byNetwork.add(keyOf(attempt), -1), byUrl.add(String(attempt.urlId), -1)]);
    },

    /** Reverts the attempts of a visitor who entered the correct password. */
    async succeed(attempt: PasswordAttempt): Promise<void> {
      await Promise.all([byNetwork.clear(keyOf(attempt)), byUrl.add(String(attempt.urlId), -1)]);
    },
  };
}

const toSeconds = (ms: number) => Math.max(1, Math.ceil(ms / 1_000));

const keyOf = ({ urlId, passwordHash, address }: PasswordAttempt) =>
  `${urlId}:${networkHashOf(passwordHash, address)}`;
