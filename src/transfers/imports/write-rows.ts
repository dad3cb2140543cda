import { addImportedClicks } from '../../clicks/ledger/imported-clicks.ts';
import type { KeyGenerator } from '../../keys/key-generator.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import type { NewUrl } from '../../urls/store/columns.ts';
import type { Owner } from '../../urls/store/owner.ts';
import { createUrlStore, type UrlStore } from '../../urls/store/url-store.ts';
import type { ShortUrl } from '../../urls/url.ts';
import type { RowProblem, RowWarning, WantedUrl } from '../rows/row-schema.ts';
import { type Row, toErrors, toWarnings } from './parse-row.ts';
import type { Outcome, RowError } from './store.ts';

/** So many refusals in a row mean that something else is wrong. */
const maxTries = 10;
/** Keys that are made besides those that a chunk needs: somebody may have used one as a custom code. */
const spareKeys = 10;

interface Asking {
  row: Row;
  url: WantedUrl;
}

export type Importer = ReturnType<typeof createImporter>;

/** Creates short URLs from rows. A row whose short URL exists already, with the same code and original URL, is skipped, or restores
 *  it if it is deleted; a code that another one has is an error. */
export function createImporter({ generator }: { generator: Pick<KeyGenerator, 'createKeys'> }) {
  const lot: string[] = [];

  /** So many keys at least, made where no transaction waits for it. */
  async function prepareKeys(count: number): Promise<void> {
    while (lot.length < count) lot.push(...(await generator.createKeys(count + spareKeys, 'import')));
  }

  function takeKey(): string {
    const key = lot.pop();
    if (key === undefined) throw new Error('more keys were taken than there are in the lot');
    return key;
  }

  async function insert(trx: Knex, asking: Asking[], createdBy: number): Promise<(ShortUrl | undefined)[]> {
    const store = createUrlStore(trx);
    const inserted = await store.insertMany(
      asking.map(({ url }) => toNewUrl(url, url.shortCode ?? takeKey(), createdBy)),
    );
    for (let tries = 1; tries < maxTries; tries++) {
      const again = asking.flatMap(({ url }, i) => (inserted[i] || url.shortCode !== undefined ? [] : [i]));
      if (again.length === 0) return inserted;
      const urls = again.map((i) => toNewUrl(asking[i]!.url, takeKey(), createdBy));
      for (const [j, url] of (await store.insertMany(urls)).entries()) inserted[again[j]!] = url;
    }
    throw new Error(`${maxTries} keys in a row were taken`);
  }

  return {
    prepareKeys,

    /** Creates what rows ask for, in a transaction, and says what has become of each. `prepareKeys` has made as many keys as there
     *  are rows. */
    async createUrls(
      trx: Knex,
      rows: Row[],
      { createdBy, owner }: { createdBy: number; owner: Owner },
    ): Promise<Outcome> {
      const asking = rows.flatMap((row) => ('url' in row.asks ? [{ row, url: row.asks.url }] : []));
      const inserted = asking.length > 0 ? await insert(trx, asking, createdBy) : [];
      await addImportedClicks(
        trx,
        asking.flatMap(({ url: { clickCount, lastAccessedAt } }, i) =>
          inserted[i] ? [{ urlId: inserted[i].id, clickCount, lastAccessedAt }] : [],
        ),
      );
      const left = asking.filter((_, i) => !inserted[i]);
      const { skipped, restored, errors: taken } = await judgeTaken(trx, left, { createdBy, owner });
      const warnings = asking.flatMap(({ row }, i) => (inserted[i] ? toWarnings(row, warningsOf(row)) : []));
      const brought = restored.flatMap(({ row }) => toWarnings(row, [wasRestored, ...warningsOf(row)]));
      const refused = rows.flatMap((row) => ('url' in row.asks ? [] : toErrors(row, row.asks.problems)));
      const created = asking.length - left.length;
      return {
        rows: rows.length,
        created,
        restored: restored.length,
        skipped,
        failed: rows.length - created - restored.length - skipped,
        unreadable: rows.filter(({ asks }) => 'problems' in asks && asks.isUnreadable).length,
        errors: [...refused, ...taken].sort((a, b) => a.line - b.line),
        warnings: [...warnings, ...brought].sort((a, b) => a.line - b.line),
      };
    },
  };
}

const warningsOf = ({ asks }: Row): RowWarning[] => ('url' in asks ? asks.warnings : []);

const wasRestored: RowWarning = {
  field: 'short_code',
  code: 'restored',
  reason: 'belonged to a deleted short URL of this API key, which is restored',
};

interface Judged {
  skipped: number;
  restored: Asking[];
  errors: RowError[];
}

/** What becomes of rows whose codes are taken: one whose short URL exists is skipped, one whose short URL the same API key deleted
 *  restores it. Nothing is said about the short URLs of others, not even whether they are deleted. */
async function judgeTaken(
  trx: Knex,
  left: Asking[],
  { createdBy, owner }: { createdBy: number; owner: Owner },
): Promise<Judged> {
  if (left.length === 0) return { skipped: 0, restored: [], errors: [] };
  const store = createUrlStore(trx);
  const found = await store.findByCodes(left.map(({ url }) => url.shortCode!));
  const known = new Map(
    found.filter((url) => owner === null || url.createdBy === owner).map((url) => [url.shortCode, url]),
  );
  const isSame = ({ url }: Asking) => known.get(url.shortCode!)?.originalUrl === url.originalUrl;
  const isDeleted = ({ url }: Asking) => known.get(url.shortCode!)?.isDeleted ?? false;
  const isOwn = ({ url }: Asking) => known.get(url.shortCode!)?.createdBy === createdBy;
  const restorable = left.filter((one) => isDeleted(one) && isSame(one) && isOwn(one));
  const restored = await restore(store, restorable, createdBy);
  const isThere = (one: Asking) =>
    isSame(one) && (!isDeleted(one) || restored.some(({ url }) => url.shortCode === one.url.shortCode));
  const failed = left.filter((one) => !isThere(one));
  return {
    restored,
    skipped: left.length - failed.length - restored.length,
    errors: failed.flatMap(({ row, url }) =>
      toErrors(row, [known.get(url.shortCode!)?.isDeleted ? deleted : taken]),
    ),
  };
}

const taken: RowProblem = { field: 'short_code', code: 'code-taken', reason: 'is taken' };
const deleted: RowProblem = {
  field: 'short_code',
  code: 'code-deleted',
  reason: 'belongs to a deleted short URL: restore it, or wait until it is purged',
};

/** Those whose short URLs were deleted and are restored. */
async function restore(store: UrlStore, asking: Asking[], createdBy: number): Promise<Asking[]> {
  if (asking.length === 0) return [];
  const restored = await store.restoreAs(asking.map(({ url }) => toNewUrl(url, url.shortCode!, createdBy)));
  return asking.filter((_, i) => restored[i]);
}

const toNewUrl = (url: WantedUrl, shortCode: string, createdBy: number): NewUrl => ({
  ...url,
  shortCode,
  createdBy,
  codeIsGenerated: url.shortCode === undefined,
});
