import type { Keys } from '../keys/keys.ts';
import { isPostgresUnavailable } from '../postgres.ts';
import { createCoalescing } from './coalescing.ts';
import type { Tell } from './telling.ts';
import type { UrlCache } from './url-cache.ts';
import type { NewUrl } from './url-columns.ts';
import type { UrlPolicy } from './url-policy.ts';
import { refusalsOf } from './url-rules.ts';
import type { UrlStore } from './url-store.ts';
import { createWishReader, type UrlWish } from './url-wishes.ts';
import { CodeTaken, defaultSettings, type ShortUrl } from './url.ts';

/** Short URLs that are inserted by one statement at most. */
const maxInserts = 500;
/** Keys that are tried from the pool. Somebody may have used some of them as custom codes; fresh ones nobody knows. */
const poolTries = 3;
/** So many refusals in a row mean that something else is wrong. */
const maxTries = 10;

/** How short URLs come into being. Those that are asked for at the same time share statements. */
export function createUrlCreation(deps: {
  store: Pick<UrlStore, 'insertMany'>;
  cache: Pick<UrlCache, 'create'>;
  keys: Keys;
  normaliseUrl: UrlPolicy;
  tell: Tell;
}) {
  const { store, cache, keys, tell } = deps;
  const readWish = createWishReader(deps.normaliseUrl);
  const insert = createCoalescing({
    run: store.insertMany,
    isForAll: isPostgresUnavailable,
    limit: maxInserts,
  });

  async function insertWithGeneratedKey(url: Omit<NewUrl, 'shortCode' | 'codeIsGenerated'>) {
    for (let tries = 0; tries < maxTries; tries++) {
      const shortCode = await (tries < poolTries ? keys.take() : keys.takeFresh());
      try {
        const inserted = await insert({ ...url, shortCode, codeIsGenerated: true });
        if (inserted) return inserted;
      } catch (error) {
        // While PostgreSQL is away, clients that try again would empty the pool.
        keys.putBack(shortCode);
        throw error;
      }
    }
    throw new Error(`${maxTries} keys in a row were taken`);
  }

  async function insertWithCustomCode(url: Omit<NewUrl, 'codeIsGenerated'>) {
    const inserted = await insert({ ...url, codeIsGenerated: false });
    if (!inserted) throw new CodeTaken(`the code ${url.shortCode} is taken`);
    return inserted;
  }

  return {
    /** Creates a short URL under the custom code, or under a key of the pool.
     *  Throws WishRefused, CodeTaken, or what PostgreSQL throws. */
    async create(wish: UrlWish, apiKeyId: number): Promise<ShortUrl> {
      const { customCode, ...given } = wish;
      const refusals = refusalsOf({ ...defaultSettings, ...given });
      const url = { ...(await readWish(given, refusals)), createdBy: apiKeyId };
      const created =
        customCode === undefined
          ? await insertWithGeneratedKey(url)
          : await insertWithCustomCode({ ...url, shortCode: customCode });
      await tell(created, () => cache.create(created));
      return created;
    },
  };
}
