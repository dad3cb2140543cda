import { createBatchLoader } from '../../resilience/batch-loader.ts';
import {
  type IdempotencyKey,
  IdempotencyKeyReused,
  isIdempotencyKeyConflict,
} from '../store/idempotency-key.ts';
import type { ShortUrl } from '../url.ts';
import type { IdempotentItem, IdempotencyKeys } from './key-store.ts';

/** The short URL that a request created, and whether an earlier request with the same key created it. */
export interface IdempotentResult {
  url: ShortUrl;
  isNew: boolean;
  isRepeat: boolean;
}

type Create = () => Promise<Omit<IdempotentResult, 'isRepeat'>>;

interface Flight {
  requestHash: Buffer;
  result: Promise<IdempotentResult>;
}

/** A conflicting key can be read a moment later, unless the clean-up has removed it. */
const maxAttempts = 3;

/** Creates at most once per idempotency key, even across crashes; repeated and concurrent requests get the first result.
 *  The primary key of `idempotency_keys` decides: see store/idempotency-key.ts. */
export function createIdempotency(keys: Pick<IdempotencyKeys, 'findMany' | 'findRequestHash'>) {
  const find = createBatchLoader<IdempotentItem, Awaited<ReturnType<typeof keys.findMany>>[number]>(
    keys.findMany,
  );
  /** Requests in progress in this process; duplicates share their result. */
  const inFlight = new Map<string, Flight>();

  async function findOrCreate(
    item: IdempotentItem,
    requestHash: Buffer,
    create: Create,
  ): Promise<IdempotentResult> {
    for (let attempt = 1; ; attempt++) {
      const recorded = await find(item);
      if (recorded) {
        requireSameHash(recorded.requestHash, requestHash);
        return { url: recorded.url, isNew: wasNew(recorded.url), isRepeat: true };
      }
      try {
        return { ...(await create()), isRepeat: false };
      } catch (error) {
        if (!isIdempotencyKeyConflict(error) || attempt === maxAttempts) throw error;
      }
    }
  }

  return {
    /** `create` must insert the idempotency key in its statement. Throws IdempotencyKeyReused, or the error of
     *  `create`. */
    async run(
      apiKeyId: number,
      { key, item, requestHash }: IdempotencyKey,
      create: Create,
    ): Promise<IdempotentResult> {
      const name = `${apiKeyId} ${key} ${item}`;
      const inProgress = inFlight.get(name);
      if (inProgress) {
        requireSameHash(inProgress.requestHash, requestHash);
        return { ...(await inProgress.result), isRepeat: true };
      }
      const result = findOrCreate({ apiKeyId, key, item }, requestHash, create);
      inFlight.set(name, { requestHash, result });
      try {
        return await result;
      } finally {
        inFlight.delete(name);
      }
    },

    async requireSameRequest(apiKeyId: number, { key, requestHash }: IdempotencyKey): Promise<void> {
      const recorded = await keys.findRequestHash(apiKeyId, key);
      if (recorded) requireSameHash(recorded, requestHash);
    },
  };
}

/** Whether the request created the short URL; otherwise it restored a deleted one. */
const wasNew = ({ createdAt, updatedAt }: ShortUrl) => createdAt.getTime() === updatedAt.getTime();

function requireSameHash(first: Buffer, second: Buffer): void {
  if (!first.equals(second))
    throw new IdempotencyKeyReused('the idempotency key was used with a different request');
}
