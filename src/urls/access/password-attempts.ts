import { nameOfNetwork } from '../../rate-limits/client-networks.ts';
import type { WindowCounts } from '../../rate-limits/fixed-window.ts';

/** Tries that one network has per short URL in a quarter of an hour. */
export const triesPerNetwork = 5;
export const networkWindowSeconds = 15 * 60;
/** Tries of all together per short URL in an hour, beyond which each network has one in its quarter of an hour. */
export const triesPerUrl = 100;
export const urlWindowSeconds = 60 * 60;

export type PasswordAttempts = ReturnType<typeof createPasswordAttempts>;

/** Who tries at which password. */
export interface Try {
  urlId: number;
  passwordHash: string;
  address: string;
}

/** Limits how often a short URL's password can be tried. Nobody can lock out others: a network that has not tried yet always may,
 *  however many others have. No address is stored: what stands for it cannot be told without the password's hash. */
export function createPasswordAttempts(counts: { byNetwork: WindowCounts; byUrl: WindowCounts }) {
  const { byNetwork, byUrl } = counts;

  return {
    /** Counts a try; resolves to how many seconds to wait where it must not be made, or to undefined. */
    async begin(attempt: Try): Promise<number | undefined> {
      const own = await byNetwork.add(keyOf(attempt), 1);
      // Whoever is refused takes nothing from what others have.
      if (own.count > triesPerNetwork) return toSeconds(own.endsInMs);
      const all = await byUrl.add(String(attempt.urlId), 1);
      if (all.count > triesPerUrl && own.count > 1) return toSeconds(Math.min(own.endsInMs, all.endsInMs));
      return undefined;
    },

    /** Takes back a try that nobody had the time to check. */
    async undo(attempt: Try): Promise<void> {
      await Promise.all([byNetwork.add(keyOf(attempt), -1), byUrl.add(String(attempt.urlId), -1)]);
    },

    /** Takes back what a visitor who knew the password has used. */
    async succeed(attempt: Try): Promise<void> {
      await Promise.all([byNetwork.clear(keyOf(attempt)), byUrl.add(String(attempt.urlId), -1)]);
    },
  };
}

const toSeconds = (ms: number) => Math.max(1, Math.ceil(ms / 1_000));

const keyOf = ({ urlId, passwordHash, address }: Try) => `${urlId}:${nameOfNetwork(passwordHash, address)}`;
