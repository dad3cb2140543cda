import {
  type IdempotencyKey,
  IdempotencyKeyReused,
  type IdempotencyKeys,
  isKeyThere,
} from './idempotency-keys.ts';
import type { ShortUrl } from './url.ts';

/** What a request has made, and whether an earlier one with the same key did. */
export interface MadeOnce {
  url: ShortUrl;
  isNew: boolean;
  isRepeat: boolean;
}

interface Flight {
  requestHash: Buffer;
  made: Promise<MadeOnce>;
}

/** A key that is there when it is noted was found a moment later, unless the clean-up was faster. */
const maxTries = 3;

/** Has requests with an idempotency key make something at most once, whatever crashes, and gives those that come again, or
 *  at the same time, what the first one made. PostgreSQL is the judge, by what `make` inserts: see idempotency-keys.ts. */
export function createOnce(keys: Pick<IdempotencyKeys, 'find'>) {
  /** Those that wait for PostgreSQL here: of many at once one asks. */
  const flights = new Map<string, Flight>();

  async function findOrMake(
    apiKeyId: number,
    { key, requestHash }: IdempotencyKey,
    make: () => Promise<Omit<MadeOnce, 'isRepeat'>>,
  ): Promise<MadeOnce> {
    for (let tries = 1; ; tries++) {
      const known = await keys.find(apiKeyId, key);
      if (known) {
        requireSame(known.requestHash, requestHash);
        return { url: known.url, isNew: true, isRepeat: true };
      }
      try {
        return { ...(await make()), isRepeat: false };
      } catch (error) {
        if (!isKeyThere(error) || tries === maxTries) throw error;
      }
    }
  }

  /** What `make` inserts must have the key. Throws IdempotencyKeyReused, or what `make` throws. */
  return async function once(
    apiKeyId: number,
    given: IdempotencyKey,
    make: () => Promise<Omit<MadeOnce, 'isRepeat'>>,
  ): Promise<MadeOnce> {
    const name = `${apiKeyId} ${given.key}`;
    const underWay = flights.get(name);
    if (underWay) {
      requireSame(underWay.requestHash, given.requestHash);
      return { ...(await underWay.made), isRepeat: true };
    }
    const made = findOrMake(apiKeyId, given, make);
    flights.set(name, { requestHash: given.requestHash, made });
    try {
      return await made;
    } finally {
      flights.delete(name);
    }
  };
}

function requireSame(first: Buffer, second: Buffer): void {
  if (!first.equals(second)) throw new IdempotencyKeyReused('the key came with another request before');
}
