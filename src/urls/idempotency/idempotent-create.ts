import { createBatchLoader } from '../../resilience/batch-loader.ts';
import { type IdempotencyKey, IdempotencyKeyReused, isKeyThere } from '../store/idempotency-key.ts';
import type { ShortUrl } from '../url.ts';
import type { AskedItem, IdempotencyKeys } from './key-store.ts';

/** What a request has made, and whether an earlier one with the same key did. */
export interface IdempotentResult {
  url: ShortUrl;
  isNew: boolean;
  isRepeat: boolean;
}

type Make = () => Promise<Omit<IdempotentResult, 'isRepeat'>>;

interface Flight {
  requestHash: Buffer;
  made: Promise<IdempotentResult>;
}

/** A key that is there when it is noted was found a moment later, unless the clean-up was faster. */
const maxTries = 3;

/** Has requests with an idempotency key make something at most once, whatever crashes, and gives those that come again, or
 *  at the same time, what the first one made. PostgreSQL is the judge, by what is inserted: see idempotency-key.ts. */
export function createIdempotent(keys: Pick<IdempotencyKeys, 'findMany' | 'findRequestHash'>) {
  const find = createBatchLoader<AskedItem, Awaited<ReturnType<typeof keys.findMany>>[number]>(keys.findMany);
  /** Those that wait for PostgreSQL here: of many at once one asks. */
  const flights = new Map<string, Flight>();

  async function findOrMake(asked: AskedItem, requestHash: Buffer, make: Make): Promise<IdempotentResult> {
    for (let tries = 1; ; tries++) {
      const known = await find(asked);
      if (known) {
        requireSame(known.requestHash, requestHash);
        return { url: known.url, isNew: wasNew(known.url), isRepeat: true };
      }
      try {
        return { ...(await make()), isRepeat: false };
      } catch (error) {
        if (!isKeyThere(error) || tries === maxTries) throw error;
      }
    }
  }

  return {
    /** What `make` inserts must have the key. Throws IdempotencyKeyReused, or what `make` throws. */
    async make(
      apiKeyId: number,
      { key, item, requestHash }: IdempotencyKey,
      make: Make,
    ): Promise<IdempotentResult> {
      const name = `${apiKeyId} ${key} ${item}`;
      const underWay = flights.get(name);
      if (underWay) {
        requireSame(underWay.requestHash, requestHash);
        return { ...(await underWay.made), isRepeat: true };
      }
      const made = findOrMake({ apiKeyId, key, item }, requestHash, make);
      flights.set(name, { requestHash, made });
      try {
        return await made;
      } finally {
        flights.delete(name);
      }
    },

    async requireSameRequest(apiKeyId: number, { key, requestHash }: IdempotencyKey): Promise<void> {
      const known = await keys.findRequestHash(apiKeyId, key);
      if (known) requireSame(known, requestHash);
    },
  };
}

/** Whether a request created what it made; otherwise it restored a deleted short URL. */
const wasNew = ({ createdAt, updatedAt }: ShortUrl) => createdAt.getTime() === updatedAt.getTime();

function requireSame(first: Buffer, second: Buffer): void {
  if (!first.equals(second)) throw new IdempotencyKeyReused('the key came with another request before');
}
