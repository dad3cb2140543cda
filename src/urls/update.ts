import { isShortCode } from '../keys/short-code.ts';
import type { PasswordHashing } from './access/password.ts';
import type { RedisUrlCache } from './cache/redis-cache.ts';
import type { Requester, Deletion } from './delete.ts';
import type { DestinationPolicy } from './input/destination-policy.ts';
import { type UrlPatch, createInputParser } from './input/parse-input.ts';
import { violationBehind, InputRejected } from './input/rules.ts';
import { tooManyTags } from './input/texts.ts';
import { type Publish, publishRemovals, publishUrl } from './publish.ts';
import { codesOf, isCodeReserved, isCodeTaken } from './store/aliases.ts';
import type { Changes } from './store/columns.ts';
import { editsTags } from './store/edited-tags.ts';
import type { Owner } from './store/owner.ts';
import type { Retention } from './store/purge.ts';
import type { UrlStore } from './store/url-store.ts';
import { CodeTaken, type ShortUrl, UrlNotFound, VersionMismatch } from './url.ts';

/** Changes, renames, deletes and restores short URLs, including expired and disabled ones. With `versions`, a change
 *  applies only to those versions, so that it does not overwrite what its author has not seen. */
export function createUrlChanges(deps: {
  store: Pick<UrlStore, 'findWithClicks' | 'change' | 'rename' | 'delete' | 'restore'>;
  cache: Pick<RedisUrlCache, 'replace' | 'putTombstones'>;
  normaliseUrl: DestinationPolicy;
  hashPassword: PasswordHashing['hashPassword'];
  deletion: Pick<Deletion, 'codeConflict'>;
  retention: Retention;
  publish: Publish;
}) {
  const { store, deletion, retention } = deps;
  const parseInput = createInputParser(deps);

  async function get(shortCode: string, owner: Owner): Promise<ShortUrl> {
    const url = isShortCode(shortCode) ? await store.findWithClicks(shortCode, owner) : undefined;
    if (!url) throw new UrlNotFound('short URL not found');
    return url;
  }

  /** Why a write affected no row. */
  async function missError(
    shortCode: string,
    owner: Owner,
    { versions, changes = {} }: { versions?: number[] | undefined; changes?: Changes } = {},
  ): Promise<Error> {
    if (versions === undefined && !editsTags(changes)) return new UrlNotFound('short URL not found');
    const { version } = await get(shortCode, owner);
    return editsTags(changes) && (versions === undefined || versions.includes(version))
      ? new InputRejected([{ field: 'addTags', reason: `${tooManyTags}, together with the existing ones` }])
      : new VersionMismatch(version);
  }

  /** Runs a write; throws the reason if the new code is not available. */
  async function withCodeConflicts<T>(
    newCode: string,
    requester: Requester,
    write: () => Promise<T>,
  ): Promise<T> {
    try {
      return await withViolations(write);
    } catch (error) {
      const isConflict = error instanceof CodeTaken || isCodeReserved(error) || isCodeTaken(error);
      throw isConflict ? await deletion.codeConflict(newCode, requester, false) : error;
    }
  }

  async function withViolations<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (error) {
      const violation = violationBehind(error);
      throw violation ? new InputRejected([violation]) : error;
    }
  }

  /** Parses a patch once, for any number of short URLs. */
  async function preparePatch(patch: UrlPatch) {
    const changes = await parseInput(patch, new Date());
    return async function apply(shortCode: string, owner: Owner, versions?: number[]): Promise<ShortUrl> {
      if (Object.keys(changes).length === 0 || !isShortCode(shortCode)) {
        const url = await get(shortCode, owner);
        if (versions && !versions.includes(url.version)) throw new VersionMismatch(url.version);
        return url;
      }
      const changed = await withViolations(() => store.change(shortCode, changes, owner, versions));
      if (!changed) throw await missError(shortCode, owner, { versions, changes });
      await publishUrl(deps, changed);
      return changed;
    };
  }

  return {
    /** Changes a short URL; an empty patch changes nothing. Throws InputRejected, Overloaded, UrlNotFound or
     *  VersionMismatch. */
    async change(shortCode: string, patch: UrlPatch, owner: Owner, versions?: number[]): Promise<ShortUrl> {
      const apply = await preparePatch(patch);
      return await apply(shortCode, owner, versions);
    },

    /** Changes a short URL and its code. The previous code keeps redirecting as an alias, or answers 404 and is
     *  reserved for the API key that created the short URL. Also throws CodeTaken and CodeDeleted. */
    async rename(
      shortCode: string,
      { newCode, keepsOldCode, patch }: { newCode: string; keepsOldCode: boolean; patch: UrlPatch },
      requester: Requester,
      versions?: number[],
    ): Promise<ShortUrl> {
      const renaming = {
        to: newCode,
        keepsOldCode,
        reservedDays: retention.days,
        apiKeyId: requester.apiKeyId,
      };
      const changes = await parseInput(patch, new Date());
      const { owner } = requester;
      const renamed = isShortCode(shortCode)
        ? await withCodeConflicts(newCode, requester, () =>
            store.rename(shortCode, { renaming, changes }, owner, versions),
          )
        : undefined;
      if (!renamed) throw await missError(shortCode, owner, { versions, changes });
      const { url, oldCode } = renamed;
      await publishUrl(deps, url);
      if (!codesOf(url).includes(oldCode))
        await publishRemovals(deps, [{ shortCode: oldCode, version: url.version }]);
      return url;
    },

    /** Resolves to a function that applies a patch to a short URL, as `change` does. Throws InputRejected or
     *  Overloaded. */
    preparePatch,

    /** Deletes a short URL: its codes answer 404 from then on. Throws UrlNotFound or VersionMismatch. */
    async delete(shortCode: string, owner: Owner, versions?: number[]): Promise<void> {
      const deleted = isShortCode(shortCode) ? await store.delete(shortCode, owner, versions) : undefined;
      if (!deleted) throw await missError(shortCode, owner, { versions });
      await publishRemovals(
        deps,
        codesOf(deleted).map((code) => ({ shortCode: code, version: deleted.version })),
      );
    },

    /** Restores a deleted short URL unchanged, until it is purged; does nothing if it is not deleted. Throws
     *  UrlNotFound. */
    async restore(shortCode: string, owner: Owner): Promise<ShortUrl> {
      const restored = isShortCode(shortCode) ? await store.restore(shortCode, owner) : undefined;
      if (!restored) return await get(shortCode, owner);
      await publishUrl(deps, restored);
      return restored;
    },
  };
}
