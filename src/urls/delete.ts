import { isShortCode } from '../keys/short-code.ts';
import { createBatchLoader } from '../resilience/batch-loader.ts';
import type { RedisUrlCache } from './cache/redis-cache.ts';
import { type Tell, publishRemovals, publishUrl } from './publish.ts';
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

/** Who asks, and what they may do. */
export interface Asker {
  apiKeyId: number;
  /** See Owner. */
  owner: Owner;
}

export type Deletion = ReturnType<typeof createDeletion>;

/** What a deleted short URL means for its code: the code stays taken until the purge, and only those who may restore the short URL
 *  learn that it is deleted. */
export function createDeletion(deps: {
  store: Pick<UrlStore, 'findDeleted' | 'takeBack' | 'purgeOne' | 'findByCode'>;
  cache: Pick<RedisUrlCache, 'replace' | 'bury'>;
  retention: Retention;
  tell: Tell;
}) {
  const { store, retention } = deps;
  const findDeleted = createBatchLoader(store.findDeleted);

  /** When the clean-up purges it, at the earliest. */
  function purgedAt({ deletedAt, isActive, expiresAt }: DeletedUrl): Date {
    const since = !isActive && expiresAt !== null && expiresAt < deletedAt ? expiresAt : deletedAt;
    return new Date(Math.max(since.getTime() + retention.days * dayMs, deletedAt.getTime()));
  }

  return {
    /** Restores the deleted short URL that has the wanted code and was created with the same API key, as the wanted one. Undefined when
     *  there is none. */
    async takeBack(wanted: NewUrl): Promise<ShortUrl | undefined> {
      const [url] = await store.takeBack([wanted]);
      if (url) await publishUrl(deps, url);
      return url;
    },

    /** Why a short URL could not be created under a code, or get it: CodeDeleted for those who may restore the one that has it, else
     *  CodeTaken. `mayReplace`: the request could restore it as the wanted one. */
    async reasonOfRefusal(
      shortCode: string,
      { apiKeyId, owner }: Asker,
      mayReplace = true,
    ): Promise<CodeDeleted | CodeTaken> {
      const deleted = await findDeleted(shortCode);
      const mayRestore = deleted && (owner === null || deleted.createdBy === owner);
      if (!mayRestore) return new CodeTaken(`the code ${shortCode} is taken`);
      return new CodeDeleted({
        shortCode,
        deletedAt: deleted.deletedAt,
        purgedAt: purgedAt(deleted),
        isOwn: deleted.createdBy === apiKeyId,
        isReplaceable: mayReplace && !deleted.isAlias && deleted.createdBy === apiKeyId,
      });
    },

    /** Purges a short URL, deleted or not, that the API key created, or any with `isAdmin`: it cannot be restored, and its code is
     *  free for the API key that created it. Throws UrlNotFound, PurgeNotAllowed or VersionMismatch. */
    async purge(
      shortCode: string,
      { apiKeyId, owner, isAdmin }: Asker & { isAdmin: boolean },
      versions?: number[],
    ): Promise<void> {
      const url = isShortCode(shortCode) ? await store.findByCode(shortCode) : undefined;
      if (!url || (owner !== null && url.createdBy !== owner)) throw new UrlNotFound('no such short URL');
      if (url.createdBy !== apiKeyId && !isAdmin) throw new PurgeNotAllowed('another API key created it');
      const purged = await store.purgeOne(url.id, { now: new Date(), retention, versions });
      if (!purged) throw versions ? new VersionMismatch(url.version) : new UrlNotFound('no such short URL');
      await publishRemovals(deps, purged);
    },
  };
}
