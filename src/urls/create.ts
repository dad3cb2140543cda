import type { Keys } from '../keys/keys.ts';
import { createBatchWriter } from '../resilience/batch-writer.ts';
import { isPostgresUnavailable } from '../storage/postgres/postgres.ts';
import type { PasswordHashing } from './access/password-hashing.ts';
import type { RedisUrlCache } from './cache/redis-cache.ts';
import type { Asker, Deletion } from './delete.ts';
import { createIdempotent, type IdempotentResult } from './idempotency/idempotent-create.ts';
import type { IdempotencyKeys } from './idempotency/key-store.ts';
import type { DestinationPolicy } from './input/destination-policy.ts';
import { createInputParser, type UrlInput } from './input/parse-input.ts';
import { violationsOf } from './input/rules.ts';
import type { Tell } from './publish.ts';
import { isCodeHeld } from './store/aliases.ts';
import type { NewUrl } from './store/columns.ts';
import type { IdempotencyKey } from './store/idempotency-key.ts';
import type { Owner } from './store/owner.ts';
import type { FoundOrInserted, UrlStore } from './store/url-store.ts';
import { defaultSettings, type ShortUrl } from './url.ts';

/** Short URLs that are inserted by one statement at most. */
const maxInserts = 500;
/** Keys that are tried from the pool. Somebody may have used some of them as custom codes; fresh ones nobody knows. */
const poolTries = 3;
/** So many refusals in a row mean that something else is wrong. */
const maxTries = 10;

/** What an insert gives; undefined where a rename kept its code meanwhile. */
async function unlessHeld<T>(insert: () => Promise<T>): Promise<T | undefined> {
  try {
    return await insert();
  } catch (error) {
    if (isCodeHeld(error)) return undefined;
    throw error;
  }
}

type Insert = (url: NewUrl) => Promise<FoundOrInserted | undefined>;

/** How short URLs come into being. Those that are asked for at the same time share statements. */
export function createUrlCreation(deps: {
  store: Pick<UrlStore, 'insertMany' | 'findOrInsert'>;
  cache: Pick<RedisUrlCache, 'create'>;
  keys: Keys;
  idempotencyKeys: Pick<IdempotencyKeys, 'findMany' | 'findRequestHash'>;
  normaliseUrl: DestinationPolicy;
  hashPassword: PasswordHashing['hashPassword'];
  deletion: Pick<Deletion, 'takeBack' | 'reasonOfRefusal'>;
  tell: Tell;
}) {
  const { store, cache, keys, deletion, tell } = deps;
  const parseInput = createInputParser(deps);
  const once = createIdempotent(deps.idempotencyKeys);
  const insertAmongOthers = createBatchWriter({
    run: store.insertMany,
    isForAll: isPostgresUnavailable,
    limit: maxInserts,
  });

  const insert: Insert = async (wanted) => {
    const url = await unlessHeld(() => insertAmongOthers(wanted));
    return url && { url, isNew: true };
  };
  const findOrInsert: Insert = async (wanted) =>
    await unlessHeld(() => store.findOrInsert(wanted, new Date()));

  async function withGeneratedKey(insert: Insert, url: Omit<NewUrl, 'shortCode' | 'codeIsGenerated'>) {
    for (let tries = 0; tries < maxTries; tries++) {
      const shortCode = await (tries < poolTries ? keys.take() : keys.takeFromGenerator());
      try {
        const made = await insert({ ...url, shortCode, codeIsGenerated: true });
        if (made?.isNew === false) keys.putBack(shortCode);
        if (made) return made;
      } catch (error) {
        // While PostgreSQL is away, clients that try again would empty the pool.
        keys.putBack(shortCode);
        throw error;
      }
    }
    throw new Error(`${maxTries} keys in a row were taken`);
  }

  async function withCustomCode(
    insert: Insert,
    url: Omit<NewUrl, 'codeIsGenerated'>,
    asked: Asker & { restoresDeleted: boolean },
  ) {
    const wanted = { ...url, codeIsGenerated: false };
    const made = await insert(wanted);
    if (made) return made;
    const restored = asked.restoresDeleted ? await deletion.takeBack(wanted) : undefined;
    if (!restored) throw await deletion.reasonOfRefusal(url.shortCode, asked);
    return { url: restored, isNew: false };
  }

  async function make(
    insert: Insert,
    wish: UrlInput,
    asked: Asker & { now: Date; idempotencyKey?: IdempotencyKey | undefined; restoresDeleted?: boolean },
  ): Promise<FoundOrInserted> {
    const { apiKeyId, owner, now, idempotencyKey, restoresDeleted = false } = asked;
    const { customCode, ...given } = wish;
    const refusals = violationsOf({ ...defaultSettings, ...given });
    const url = { ...(await parseInput(given, now, refusals)), createdBy: apiKeyId, idempotencyKey };
    const made =
      customCode === undefined
        ? await withGeneratedKey(insert, url)
        : await withCustomCode(
            insert,
            { ...url, shortCode: customCode },
            { apiKeyId, owner, restoresDeleted },
          );
    if (made.isNew) await tell(made.url, () => cache.create(made.url));
    return made;
  }

  return {
    /** Creates a short URL under the custom code, or under a key of the pool.
     *  Throws InputRejected, CodeTaken, CodeDeleted, Overloaded, or what PostgreSQL throws. */
    create: async (wish: UrlInput, apiKeyId: number, now = new Date()): Promise<ShortUrl> =>
      (await make(insert, wish, { apiKeyId, owner: apiKeyId, now })).url,

    /** The same for requests that may come again: whatever crashes, at most one short URL is made with an idempotency key. Where it
     *  `findsFirst`, one of the API key that does what the new one would is answered instead: see same-urls.ts. Where it
     *  `restoresDeleted`, a deleted one that the API key created under the custom code is restored as the wanted one. Throws
     *  IdempotencyKeyReused as well. */
    async createIdempotent(
      wish: UrlInput,
      apiKeyId: number,
      given: {
        owner: Owner;
        idempotencyKey: IdempotencyKey | undefined;
        findsFirst: boolean;
        restoresDeleted: boolean;
        now: Date;
      },
    ): Promise<IdempotentResult> {
      const { idempotencyKey, findsFirst, ...how } = given;
      const asked = { ...how, apiKeyId, idempotencyKey };
      const makeIt = () => make(findsFirst ? findOrInsert : insert, wish, asked);
      if (idempotencyKey) return await once.make(apiKeyId, idempotencyKey, makeIt);
      return { ...(await makeIt()), isRepeat: false };
    },

    /** Throws IdempotencyKeyReused where another request with this key has made something. */
    requireSameRequest: once.requireSameRequest,
  };
}
