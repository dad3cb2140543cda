import { addImportedClicks } from '../clicks/imported-clicks.ts';
import type { KeyGenerator } from '../keys/key-generator.ts';
import type { Knex } from '../postgres.ts';
import type { Owner } from '../urls/owner.ts';
import type { NewUrl } from '../urls/url-columns.ts';
import { createUrlStore } from '../urls/url-store.ts';
import type { ShortUrl } from '../urls/url.ts';
import type { WantedUrl } from './import-row.ts';
import { type Row, toErrors, toWarnings } from './import-rows.ts';
import type { Outcome, RowError } from './import-store.ts';

/** So many refusals in a row mean that something else is wrong. */
const maxTries = 10;
/** Keys that are made besides those that a chunk needs: somebody may have used one as a custom code. */
const spareKeys = 10;

interface Asking {
  row: Row;
  url: WantedUrl;
}

export type Importer = ReturnType<typeof createImporter>;

/** Makes short URLs of rows. Rows whose short URL is there already, under the same code and with the same original URL, are skipped; a
 *  code that another one has is an error. */
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
      const { skipped, errors: taken } = await judgeTaken(trx, left, owner);
      const warnings = asking.flatMap(({ row }, i) =>
        inserted[i] && 'url' in row.asks ? toWarnings(row, row.asks.warnings) : [],
      );
      const refused = rows.flatMap((row) => ('url' in row.asks ? [] : toErrors(row, row.asks.problems)));
      const created = asking.length - left.length;
      return {
        rows: rows.length,
        created,
        restored: 0,
        skipped,
        failed: rows.length - created - skipped,
        unreadable: rows.filter(({ asks }) => 'problems' in asks && asks.isUnreadable).length,
        errors: [...refused, ...taken].sort((a, b) => a.line - b.line),
        warnings,
      };
    },
  };
}

/** Which of these, whose codes are taken, are there as they are asked for. Where a short URL leads that is not the owner's is not told
 *  this way either. */
async function judgeTaken(
  trx: Knex,
  left: Asking[],
  owner: Owner,
): Promise<{ skipped: number; errors: RowError[] }> {
  if (left.length === 0) return { skipped: 0, errors: [] };
  const found = await createUrlStore(trx).findByCodes(left.map(({ url }) => url.shortCode!));
  const known = found.filter((url) => !url.isDeleted && (owner === null || url.createdBy === owner));
  const there = new Map(known.map((url) => [url.shortCode, url.originalUrl]));
  const isThere = ({ url }: Asking) => there.get(url.shortCode!) === url.originalUrl;
  const errors = left
    .filter((one) => !isThere(one))
    .flatMap(({ row }) => toErrors(row, [{ field: 'short_code', code: 'code-taken', reason: 'is taken' }]));
  return { skipped: left.length - errors.length, errors };
}

const toNewUrl = (url: WantedUrl, shortCode: string, createdBy: number): NewUrl => ({
  ...url,
  shortCode,
  createdBy,
  codeIsGenerated: url.shortCode === undefined,
});
