import { toCacheEntry } from './cache-entry.ts';
import type { Owner } from './owner.ts';
import type { PasswordHashing } from './password-hashing.ts';
import { isShortCode } from './short-code.ts';
import type { Tell } from './telling.ts';
import type { UrlCache } from './url-cache.ts';
import type { UrlPolicy } from './url-policy.ts';
import { refusalBy, WishRefused } from './url-rules.ts';
import type { UrlStore } from './url-store.ts';
import { type ChangeWish, createWishReader } from './url-wishes.ts';
import { type ShortUrl, type StoredUrl, UrlNotFound, VersionMismatch } from './url.ts';

/** What happens to short URLs once they exist, expired and disabled ones too. A change may be meant for some versions alone, so
 *  that it does not undo what its author has not seen. */
export function createUrlChanges(deps: {
  store: Pick<UrlStore, 'findWithClicks' | 'change' | 'delete' | 'restore'>;
  cache: Pick<UrlCache, 'replace' | 'bury'>;
  normaliseUrl: UrlPolicy;
  hashPassword: PasswordHashing['hashPassword'];
  tell: Tell;
}) {
  const { store, cache, tell } = deps;
  const readWish = createWishReader(deps);

  async function get(shortCode: string, owner: Owner): Promise<ShortUrl> {
    const url = isShortCode(shortCode) ? await store.findWithClicks(shortCode, owner) : undefined;
    if (!url) throw new UrlNotFound('no such short URL');
    return url;
  }

  /** Why nothing was there to be changed, if it is a short URL of these versions alone that was meant. */
  async function reasonOfMiss(shortCode: string, owner: Owner, versions?: number[]): Promise<Error> {
    if (versions === undefined) return new UrlNotFound('no such short URL');
    return new VersionMismatch((await get(shortCode, owner)).version);
  }

  async function write(...change: Parameters<UrlStore['change']>): Promise<StoredUrl | undefined> {
    try {
      return await store.change(...change);
    } catch (error) {
      const refusal = refusalBy(error);
      throw refusal ? new WishRefused([refusal]) : error;
    }
  }

  const tellOf = async (url: StoredUrl) =>
    await tell(url, () => cache.replace([[url.shortCode, toCacheEntry(url)]]));

  /** Reads a wish once, for as many short URLs as `make` is called for. */
  async function readChange(wish: ChangeWish) {
    const changes = await readWish(wish, new Date());
    return async function make(shortCode: string, owner: Owner, versions?: number[]): Promise<ShortUrl> {
      if (Object.keys(changes).length === 0 || !isShortCode(shortCode)) {
        const url = await get(shortCode, owner);
        if (versions && !versions.includes(url.version)) throw new VersionMismatch(url.version);
        return url;
      }
      const changed = await write(shortCode, changes, owner, versions);
      if (!changed) throw await reasonOfMiss(shortCode, owner, versions);
      await tellOf(changed);
      return changed;
    };
  }

  return {
    /** Makes a short URL what is wished; resolves to what it is then. A wish for nothing changes nothing. Throws WishRefused,
     *  Overloaded, UrlNotFound or VersionMismatch. */
    async change(shortCode: string, wish: ChangeWish, owner: Owner, versions?: number[]): Promise<ShortUrl> {
      const make = await readChange(wish);
      return await make(shortCode, owner, versions);
    },

    /** Resolves to what makes each of many short URLs what is wished, as `change` does. Throws WishRefused or Overloaded. */
    readChange,

    /** Deletes a short URL: its redirect answers 404 from now on. Throws UrlNotFound or VersionMismatch. */
    async delete(shortCode: string, owner: Owner, versions?: number[]): Promise<void> {
      const deleted = isShortCode(shortCode) ? await store.delete(shortCode, owner, versions) : undefined;
      if (!deleted) throw await reasonOfMiss(shortCode, owner, versions);
      const change = { shortCode, version: deleted.version };
      await tell(change, () => cache.bury([change], 'not found'));
    },

    /** Brings a deleted short URL back, as what it was, until it is purged; one that is there stays as it is. Throws UrlNotFound. */
    async restore(shortCode: string, owner: Owner): Promise<ShortUrl> {
      const restored = isShortCode(shortCode) ? await store.restore(shortCode, owner) : undefined;
      if (!restored) return await get(shortCode, owner);
      await tellOf(restored);
      return restored;
    },
  };
}
