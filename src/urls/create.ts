import type { Keys } from '../keys/keys.ts';
import { createBatchWriter } from '../resilience/batch-writer.ts';
import { isPostgresUnavailable } from '../storage/postgres/postgres.ts';
import type { PasswordHashing } from './access/password.ts';
import type { RedisUrlCache } from './cache/redis-cache.ts';
import type { Deletion, Requester } from './delete.ts';
import { createIdempotency, type IdempotentResult } from './idempotency/idempotent-create.ts';
import type { IdempotencyKeys } from './idempotency/key-store.ts';
import type { DestinationPolicy } from './input/destination-policy.ts';
import { createInputParser, type UrlInput } from './input/parse-input.ts';
import { violationsOf } from './input/rules.ts';
import type { Publish } from './publish.ts';
import { isCodeReserved } from './store/aliases.ts';
import type { NewUrl } from './store/columns.ts';
import type { IdempotencyKey } from './store/idempotency-key.ts';
import type { FoundOrInserted } from './store/insert-store.ts';
import type { Owner } from './store/owner.ts';
import type { UrlStore } from './store/url-store.ts';
import { defaultSettings, type ShortUrl } from './url.ts';

/** Short URLs per statement, at most. */
const maxInserts = 500;
/** Attempts with keys of the pool, which clients may have used as custom codes. Later attempts generate keys. */
const poolAttempts = 3;
/** More conflicts in a row mean that something else is wrong. */
const maxAttempts = 10;

/** The result of an insert; undefined if the code is an alias or reserved. */
async function unlessReserved<T>(insert: () => Promise<T>): Promise<T | undefined> {
  try {
    return await insert();
  } catch (error) {
    if (isCodeReserved(error)) return undefined;
    throw error;
  }
}

interface CreateOptions {
  /** See Owner. */
  owner?: Owner;
  idempotencyKey?: IdempotencyKey | undefined;
  /** Returns an equivalent short URL of the API key, if there is one; see same-urls.ts. */
  reusesExisting?: boolean;
  /** Overwrites and restores a deleted short URL of the API key with the custom code, if there is one. */
  restoresDeleted?: boolean;
  now?: Date;
}

type Insert = (url: NewUrl) => Promise<FoundOrInserted | undefined>;

/** Creates short URLs. Concurrent creates share statements (group commit). */
export function createUrlCreation(deps: {
  store: Pick<UrlStore, 'insertMany' | 'findOrInsert'>;
  cache: Pick<RedisUrlCache, 'create'>;
  keys: Keys;
  idempotencyKeys: Pick<IdempotencyKeys, 'findMany' | 'findRequestHash'>;
  normaliseUrl: DestinationPolicy;
  hashPassword: PasswordHashing['hashPassword'];
  deletion: Pick<Deletion, 'restoreAs' | 'codeConflict'>;
  publish: Publish;
  /** Is called with each short URL that is new. */
  onCreated?: (url: ShortUrl) => void;
}) {
  const { store, cache, keys, deletion, publish, onCreated } = deps;
  const parseInput = createInputParser(deps);
  const idempotency = createIdempotency(deps.idempotencyKeys);
  const insertInBatch = createBatchWriter({
    run: store.insertMany,
    isForAll: isPostgresUnavailable,
    limit: maxInserts,
  });

  const insert: Insert = async (newUrl) => {
    const url = await unlessReserved(() => insertInBatch(newUrl));
    return url && { url, isNew: true };
  };
  const findOrInsert: Insert = async (newUrl) =>
    await unlessReserved(() => store.findOrInsert(newUrl, new Date()));

  async function insertWithKey(insert: Insert, url: Omit<NewUrl, 'shortCode' | 'codeIsGenerated'>) {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const shortCode = await (attempt < poolAttempts ? keys.take() : keys.takeFromGenerator());
      try {
        const result = await insert({ ...url, shortCode, codeIsGenerated: true });
        if (result?.isNew === false) keys.putBack(shortCode);
        if (result) return result;
      } catch (error) {
        // Otherwise retries during an outage of PostgreSQL would drain the pool.
        keys.putBack(shortCode);
        throw error;
      }
    }
    throw new Error(`failed to create a short URL: ${maxAttempts} keys in a row were in use`);
  }

  async function insertWithCustomCode(
    insert: Insert,
    url: Omit<NewUrl, 'codeIsGenerated'>,
    { restoresDeleted, ...requester }: Requester & { restoresDeleted: boolean },
  ) {
    const newUrl = { ...url, codeIsGenerated: false };
    const result = await insert(newUrl);
    if (result) return result;
    const restored = restoresDeleted ? await deletion.restoreAs(newUrl) : undefined;
    if (!restored) throw await deletion.codeConflict(url.shortCode, requester);
    return { url: restored, isNew: false };
  }

  async function createOnce(
    { customCode, ...input }: UrlInput,
    apiKeyId: number,
    options: CreateOptions,
  ): Promise<FoundOrInserted> {
    const {
      owner = apiKeyId,
      idempotencyKey,
      reusesExisting = false,
      restoresDeleted = false,
      now = new Date(),
    } = options;
    const violations = violationsOf({ ...defaultSettings, ...input });
    const url = { ...(await parseInput(input, now, violations)), createdBy: apiKeyId, idempotencyKey };
    const write = reusesExisting ? findOrInsert : insert;
    const result =
      customCode === undefined
        ? await insertWithKey(write, url)
        : await insertWithCustomCode(
            write,
            { ...url, shortCode: customCode },
            { apiKeyId, owner, restoresDeleted },
          );
    if (result.isNew) {
      await publish(result.url, () => cache.create(result.url));
      onCreated?.(result.url);
    }
    return result;
  }

  return {
    /** Creates a short URL under its custom code or a key of the pool. With an idempotency key, at most one short URL
     *  is created, even across crashes. Throws InputRejected, CodeTaken, CodeDeleted, IdempotencyKeyReused, Overloaded, or
     *  the error of PostgreSQL. */
    async create(input: UrlInput, apiKeyId: number, options: CreateOptions = {}): Promise<IdempotentResult> {
      const create = () => createOnce(input, apiKeyId, options);
      const { idempotencyKey } = options;
      if (idempotencyKey) return await idempotency.run(apiKeyId, idempotencyKey, create);
      return { ...(await create()), isRepeat: false };
    },

    /** Throws IdempotencyKeyReused if another request with this key has created something. */
    requireSameRequest: idempotency.requireSameRequest,
  };
}
