import { isShortCode } from '../keys/short-code.ts';
import type { PasswordHashing } from './access/password-hashing.ts';
import type { RedisUrlCache } from './cache/redis-cache.ts';
import type { Asker, Deletion } from './delete.ts';
import type { DestinationPolicy } from './input/destination-policy.ts';
import { type UrlPatch, createInputParser } from './input/parse-input.ts';
import { refusalBy, InputRejected } from './input/rules.ts';
import { type Tell, publishRemovals, publishUrl } from './publish.ts';
import { codesOf, isCodeHeld, isCodeInUse } from './store/aliases.ts';
import type { Owner } from './store/owner.ts';
import type { Retention } from './store/purge.ts';
import type { UrlStore } from './store/url-store.ts';
import { CodeTaken, type ShortUrl, UrlNotFound, VersionMismatch } from './url.ts';

/** What happens to short URLs once they exist, expired and disabled ones too. A change may be meant for some versions alone, so
 *  that it does not undo what its author has not seen. */
export function createUrlChanges(deps: {
  store: Pick<UrlStore, 'findWithClicks' | 'change' | 'rename' | 'delete' | 'restore'>;
  cache: Pick<RedisUrlCache, 'replace' | 'bury'>;
  normaliseUrl: DestinationPolicy;
  hashPassword: PasswordHashing['hashPassword'];
  deletion: Pick<Deletion, 'reasonOfRefusal'>;
  retention: Retention;
  tell: Tell;
}) {
  const { store, deletion, retention } = deps;
  const parseInput = createInputParser(deps);

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

  /** What a write gives; throws why the new code is refused, if it is. */
  async function refusingTaken<T>(newCode: string, asker: Asker, write: () => Promise<T>): Promise<T> {
    try {
      return await refusingRules(write);
    } catch (error) {
      const isTaken = error instanceof CodeTaken || isCodeHeld(error) || isCodeInUse(error);
      throw isTaken ? await deletion.reasonOfRefusal(newCode, asker, false) : error;
    }
  }

  async function refusingRules<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (error) {
      const refusal = refusalBy(error);
      throw refusal ? new InputRejected([refusal]) : error;
    }
  }

  /** Reads a wish once, for as many short URLs as `make` is called for. */
  async function readChange(wish: UrlPatch) {
    const changes = await parseInput(wish, new Date());
    return async function make(shortCode: string, owner: Owner, versions?: number[]): Promise<ShortUrl> {
      if (Object.keys(changes).length === 0 || !isShortCode(shortCode)) {
        const url = await get(shortCode, owner);
        if (versions && !versions.includes(url.version)) throw new VersionMismatch(url.version);
        return url;
      }
      const changed = await refusingRules(() => store.change(shortCode, changes, owner, versions));
      if (!changed) throw await reasonOfMiss(shortCode, owner, versions);
      await publishUrl(deps, changed);
      return changed;
    };
  }

  return {
    /** Makes a short URL what is wished; resolves to what it is then. A wish for nothing changes nothing. Throws InputRejected,
     *  Overloaded, UrlNotFound or VersionMismatch. */
    async change(shortCode: string, wish: UrlPatch, owner: Owner, versions?: number[]): Promise<ShortUrl> {
      const make = await readChange(wish);
      return await make(shortCode, owner, versions);
    },

    /** The same, and gives the short URL another code. The current one keeps redirecting to it, or answers 404 and is reserved for the
     *  API key that created the short URL. Throws CodeTaken and CodeDeleted as well. */
    async rename(
      shortCode: string,
      { newCode, keepsOldCode, wish }: { newCode: string; keepsOldCode: boolean; wish: UrlPatch },
      asker: Asker,
      versions?: number[],
    ): Promise<ShortUrl> {
      const renaming = { to: newCode, keepsOldCode, reservedDays: retention.days, apiKeyId: asker.apiKeyId };
      const changes = await parseInput(wish, new Date());
      const { owner } = asker;
      const renamed = isShortCode(shortCode)
        ? await refusingTaken(newCode, asker, () =>
            store.rename(shortCode, { renaming, changes }, owner, versions),
          )
        : undefined;
      if (!renamed) throw await reasonOfMiss(shortCode, owner, versions);
      const { url, oldCode } = renamed;
      await publishUrl(deps, url);
      if (!codesOf(url).includes(oldCode))
        await publishRemovals(deps, [{ shortCode: oldCode, version: url.version }]);
      return url;
    },

    /** Resolves to what makes each of many short URLs what is wished, as `change` does. Throws InputRejected or Overloaded. */
    readChange,

    /** Deletes a short URL: its redirect answers 404 from now on. Throws UrlNotFound or VersionMismatch. */
    async delete(shortCode: string, owner: Owner, versions?: number[]): Promise<void> {
      const deleted = isShortCode(shortCode) ? await store.delete(shortCode, owner, versions) : undefined;
      if (!deleted) throw await reasonOfMiss(shortCode, owner, versions);
      await publishRemovals(
        deps,
        codesOf(deleted).map((code) => ({ shortCode: code, version: deleted.version })),
      );
    },

    /** Brings a deleted short URL back, as what it was, until it is purged; one that is there stays as it is. Throws UrlNotFound. */
    async restore(shortCode: string, owner: Owner): Promise<ShortUrl> {
      const restored = isShortCode(shortCode) ? await store.restore(shortCode, owner) : undefined;
      if (!restored) return await get(shortCode, owner);
      await publishUrl(deps, restored);
      return restored;
    },
  };
}
