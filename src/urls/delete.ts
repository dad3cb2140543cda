import { isShortCode } from '../keys/short-code.ts';
import { createBatchLoader } from '../resilience/batch-loader.ts';
import type { RedisUrlCache } from './cache/redis-cache.ts';
import { type Publish, publishRemovals, publishUrl } from './publish.ts';
import type { NewUrl } from './store/columns.ts';
import type { DeletedUrl } from './store/deleted-url-store.ts';
import type { Owner } from './store/owner.ts';
import type { Retention } from './store/purge.ts';
import type { UrlStore } from './store/url-store.ts';
import {
  CodeDeleted,
  CodeTaken,
  PurgeNotAllowed,
  type ShortUrl,
  UrlNotFound,
  VersionMismatch,
} from './url.ts';

const dayMs = 24 * 3_600_000;
/** The last time of RFC 3339; other programs may write later ones. */
const latestMs = Date.parse('9999-12-31T23:59:59.999Z');

/** The API key that makes a request. */
export interface Requester {
  apiKeyId: number;
  /** See Owner. */
  owner: Owner;
}

export type Deletion = ReturnType<typeof createDeletion>;

/** Purges short URLs, and decides what a create learns about a code that a deleted one holds; `update.ts` deletes and restores. Deleted
 *  short URLs keep their codes until they are purged. Only clients that may restore one learn that it is deleted. */
export function createDeletion(deps: {
  store: Pick<UrlStore, 'findDeleted' | 'restoreAs' | 'purgeOne' | 'findByCode'>;
  cache: Pick<RedisUrlCache, 'replace' | 'putTombstones'>;
  retention: Retention;
  publish: Publish;
}) {
  const { store, retention } = deps;
  const findDeleted = createBatchLoader(store.findDeleted);

  /** The earliest time at which the clean-up purges a deleted short URL. */
  function purgedAt({
    deletedAt,
    isActive,
    expiresAt,
  }: Pick<DeletedUrl, 'deletedAt' | 'isActive' | 'expiresAt'>): Date {
    const since = !isActive && expiresAt !== null && expiresAt < deletedAt ? expiresAt : deletedAt;
    const ends = Math.max(since.getTime() + retention.days * dayMs, deletedAt.getTime());
    return new Date(Math.min(ends, latestMs));
  }

  return {
    purgedAt,

    /** Restores the deleted short URL with this code and API key, overwritten with the new fields. Undefined if there
     *  is none. */
    async restoreAs(input: NewUrl): Promise<ShortUrl | undefined> {
      const [url] = await store.restoreAs([input]);
      if (url) await publishUrl(deps, url);
      return url;
    },

    /** Why a code cannot be used: CodeDeleted for clients that may restore the deleted short URL, otherwise CodeTaken.
     *  `mayReplace`: the same request could overwrite the deleted one. */
    async codeConflict(
      shortCode: string,
      { apiKeyId, owner }: Requester,
      mayReplace = true,
    ): Promise<CodeDeleted | CodeTaken> {
      const deleted = await findDeleted(shortCode);
      const mayRestore = deleted && (owner === null || deleted.createdBy === owner);
      if (!mayRestore) return new CodeTaken(`the code ${shortCode} is already in use`);
      return new CodeDeleted({
        shortCode,
        deletedAt: deleted.deletedAt,
        purgedAt: purgedAt(deleted),
        isOwn: deleted.createdBy === apiKeyId,
        isReplaceable: mayReplace && !deleted.isAlias && deleted.createdBy === apiKeyId,
      });
    },

    /** Purges a short URL, deleted or not, of the API key, or of any with `isAdmin`. It cannot be restored, and the
     *  API key that created it can reuse its code. Throws UrlNotFound, PurgeNotAllowed or VersionMismatch. */
    async purge(
      shortCode: string,
      { apiKeyId, owner, isAdmin }: Requester & { isAdmin: boolean },
      versions?: number[],
    ): Promise<void> {
      const url = isShortCode(shortCode) ? await store.findByCode(shortCode) : undefined;
      if (!url || (owner !== null && url.createdBy !== owner)) throw new UrlNotFound('short URL not found');
      if (url.createdBy !== apiKeyId && !isAdmin)
        throw new PurgeNotAllowed('short URL was created by another API key');
      const purged = await store.purgeOne(url.id, { now: new Date(), retention, versions });
      if (!purged) throw versions ? new VersionMismatch(url.version) : new UrlNotFound('short URL not found');
      await publishRemovals(deps, purged);
    },
  };
}
