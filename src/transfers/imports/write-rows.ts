import { addImportedClicks } from '../../clicks/ledger/imported-clicks.ts';
import type { KeyGenerator } from '../../keys/key-generator.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import type { NewUrl } from '../../urls/store/columns.ts';
import type { InitialClicks } from '../../urls/store/insert-store.ts';
import type { Owner } from '../../urls/store/owner.ts';
import { createUrlStore, type UrlStore } from '../../urls/store/url-store.ts';
import type { RowProblem, RowWarning, ImportedUrl } from '../rows/row-schema.ts';
import { type Row, toErrors, toWarnings } from './parse-row.ts';
import type { RowError } from './report-store.ts';
import type { Outcome } from './store.ts';

/** More collisions in a row cannot be chance. */
const maxAttempts = 10;
/** Spare keys per chunk, because a key may be in use as a custom code. */
const spareKeys = 10;

interface RowToImport {
  row: Row;
  url: ImportedUrl;
}

export type Importer = ReturnType<typeof createImporter>;

/** Creates short URLs from rows. A row whose short URL exists with the same code and original URL is skipped, or restores it if it is deleted. A
 *  code of another short URL is an error. */
export function createImporter({ generator }: { generator: Pick<KeyGenerator, 'createKeys'> }) {
  const keys: string[] = [];

  /** Generates at least `count` keys outside the transaction. */
  async function prepareKeys(count: number): Promise<void> {
    while (keys.length < count) keys.push(...(await generator.createKeys(count + spareKeys, 'import')));
  }

  function takeKey(): string {
    const key = keys.pop();
    if (key === undefined) throw new Error('more keys were taken than were prepared');
    return key;
  }

  async function insert(trx: Knex, rowsToImport: RowToImport[], createdBy: number): Promise<boolean[]> {
    const store = createUrlStore(trx);
    const inserted = await store.insertCounted(
      rowsToImport.map(({ url }) => toNewUrl(url, url.shortCode ?? takeKey(), createdBy)),
    );
    for (let attempts = 1; attempts < maxAttempts; attempts++) {
      const again = rowsToImport.flatMap(({ url }, i) =>
        inserted[i] || url.shortCode !== undefined ? [] : [i],
      );
      if (again.length === 0) return inserted;
      const urls = again.map((i) => toNewUrl(rowsToImport[i]!.url, takeKey(), createdBy));
      for (const [j, isInserted] of (await store.insertCounted(urls)).entries())
        inserted[again[j]!] = isInserted;
    }
    throw new Error(`${maxAttempts} keys in a row are in use`);
  }

  return {
    prepareKeys,

    /** Creates the short URLs of rows in a transaction, and resolves to the outcome. `prepareKeys` must have prepared a key per row. */
    async createUrls(
      trx: Knex,
      rows: Row[],
      { createdBy, owner }: { createdBy: number; owner: Owner },
    ): Promise<Outcome> {
      const rowsToImport = rows.flatMap((row) => ('url' in row.parsed ? [{ row, url: row.parsed.url }] : []));
      const inserted = rowsToImport.length > 0 ? await insert(trx, rowsToImport, createdBy) : [];
      const clicks = rowsToImport.reduce((sum, { url }, i) => sum + (inserted[i] ? url.clickCount : 0), 0);
      await addImportedClicks(trx, clicks);
      const remaining = rowsToImport.filter((_, i) => !inserted[i]);
      const { skipped, restored, errors: taken } = await resolveTaken(trx, remaining, { createdBy, owner });
      const warnings = rowsToImport.flatMap(({ row }, i) =>
        inserted[i] ? toWarnings(row, warningsOf(row)) : [],
      );
      const restoreWarnings = restored.flatMap(({ row }) =>
        toWarnings(row, [wasRestored, ...warningsOf(row)]),
      );
      const invalid = rows.flatMap((row) => ('url' in row.parsed ? [] : toErrors(row, row.parsed.problems)));
      const created = rowsToImport.length - remaining.length;
      return {
        rows: rows.length,
        created,
        restored: restored.length,
        skipped,
        failed: rows.length - created - restored.length - skipped,
        unreadable: rows.filter(({ parsed }) => 'problems' in parsed && parsed.isUnreadable).length,
        errors: [...invalid, ...taken].sort((a, b) => a.line - b.line),
        warnings: [...warnings, ...restoreWarnings].sort((a, b) => a.line - b.line),
      };
    },
  };
}

const warningsOf = ({ parsed }: Row): RowWarning[] => ('url' in parsed ? parsed.warnings : []);

const wasRestored: RowWarning = {
  field: 'short_code',
  code: 'restored',
  reason: 'belonged to a deleted short URL of this API key, which is restored',
};

interface TakenRows {
  skipped: number;
  restored: RowToImport[];
  errors: RowError[];
}

/** Resolves rows whose codes are taken: one whose short URL exists is skipped, one whose short URL the same API key deleted restores it. Errors
 *  reveal nothing about short URLs of other owners, not even that they are deleted. */
async function resolveTaken(
  trx: Knex,
  rows: RowToImport[],
  { createdBy, owner }: { createdBy: number; owner: Owner },
): Promise<TakenRows> {
  if (rows.length === 0) return { skipped: 0, restored: [], errors: [] };
  const store = createUrlStore(trx);
  const found = await store.findByCodes(rows.map(({ url }) => url.shortCode!));
  const known = new Map(
    found.filter((url) => owner === null || url.createdBy === owner).map((url) => [url.shortCode, url]),
  );
  const isSame = ({ url }: RowToImport) => known.get(url.shortCode!)?.originalUrl === url.originalUrl;
  const isDeleted = ({ url }: RowToImport) => known.get(url.shortCode!)?.isDeleted ?? false;
  const isOwn = ({ url }: RowToImport) => known.get(url.shortCode!)?.createdBy === createdBy;
  const restorable = rows.filter((one) => isDeleted(one) && isSame(one) && isOwn(one));
  const restored = await restore(store, restorable, createdBy);
  const exists = (one: RowToImport) =>
    isSame(one) && (!isDeleted(one) || restored.some(({ url }) => url.shortCode === one.url.shortCode));
  const failed = rows.filter((one) => !exists(one));
  return {
    restored,
    skipped: rows.length - failed.length - restored.length,
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

/** Restores deleted short URLs; resolves to the rows of the restored ones. */
async function restore(
  store: UrlStore,
  rowsToImport: RowToImport[],
  createdBy: number,
): Promise<RowToImport[]> {
  if (rowsToImport.length === 0) return [];
  const restored = await store.restoreAs(
    rowsToImport.map(({ url }) => toNewUrl(url, url.shortCode!, createdBy)),
  );
  return rowsToImport.filter((_, i) => restored[i]);
}

const toNewUrl = (url: ImportedUrl, shortCode: string, createdBy: number): NewUrl & InitialClicks => ({
  ...url,
  shortCode,
  createdBy,
  codeIsGenerated: url.shortCode === undefined,
});
