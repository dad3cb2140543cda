import { isRejectedData, type Knex } from '../../storage/postgres/postgres.ts';
import type { BlockedHosts } from '../../urls/blocklist/blocklist.ts';
import type { RefreshCache } from '../../urls/cache/refresh.ts';
import type { Owner } from '../../urls/store/owner.ts';
import { type ImportRecord, maxUnreadable, type Position, tooManyUnreadable } from '../files/records.ts';
import { recognise } from './detect-format.ts';
import { createImportFile } from './file.ts';
import { createRowReader, type Row } from './parse-row.ts';
import type { ImportStore } from './store.ts';
import type { Importer } from './write-rows.ts';

/** Rows per transaction, at most. */
const chunkSize = 1_000;

const notAllowed = 'The API key may not create short URLs any more.';

interface Step {
  from: Position;
  to: Position;
  records: ImportRecord[];
}

export interface ImportDeps {
  importStore: ImportStore;
  importer: Importer;
  blockedHosts: Pick<BlockedHosts, 'refresh' | 'isBlocked'>;
  refreshCache: RefreshCache;
}

/** An import that is worked on, from where the last one who did so stood; undefined when it is over. */
export async function openImport(deps: ImportDeps, id: number) {
  const { importStore, importer, blockedHosts, refreshCache } = deps;
  const found = await importStore.findUnfinished(id);
  if (!found) return undefined;
  const { bytes, encoding, delimiter, apiKeyId } = found;
  const read = async (from: number, length: number) => await importStore.readBytes(id, from, length);
  const file = createImportFile(encoding, bytes, read, delimiter);
  const known = found.columns ? found : await recognise(importStore, found, file);
  if (!known) return undefined;
  const readRow = createRowReader(known, blockedHosts.isBlocked);
  const steps: Step[] = [];
  let at: Position = { bytes: known.doneBytes, lines: known.doneLines };
  let { unreadable } = known;
  let owner: Owner = apiKeyId;

  async function finish(error: string | null): Promise<undefined> {
    await importStore.finish(id, error);
  }

  async function readOn(): Promise<void> {
    await blockedHosts.refresh();
    const found = await file.readOn(at);
    if (!found) return;
    const { records, end } = found;
    for (let i = 0, from = at; i === 0 || i < records.length; i += chunkSize) {
      const isLast = i + chunkSize >= records.length;
      const to = isLast ? end : records[i + chunkSize - 1]!.end;
      steps.push({ from, to, records: records.slice(i, i + chunkSize) });
      from = to;
    }
  }

  /** False when somebody else has gone on with it, or it is over. */
  async function importRows(rows: Row[], from: Position, to: Position): Promise<boolean> {
    await importer.prepareKeys(rows.length);
    const work = async (trx: Knex) => {
      // Run again after a deadlock it needs as many again.
      await importer.prepareKeys(rows.length);
      return await importer.createUrls(trx, rows, { createdBy: apiKeyId, owner });
    };
    if (!(await importStore.advance(id, from, to, work))) return false;
    // The cache may know that nobody has these codes, or nobody any more.
    await refreshCache(rows.flatMap(({ asks }) => ('url' in asks ? (asks.url.shortCode ?? []) : [])));
    return true;
  }

  /** One transaction for each row, when PostgreSQL stores one of them in no way. */
  async function importEach({ from, to, records }: Step, rows: Row[]): Promise<boolean> {
    let place = from;
    for (const [i, row] of rows.entries()) {
      const next = i === rows.length - 1 ? to : records[i]!.end;
      const importOne = async (row: Row) => await importRows([row], place, next);
      const went = await importOne(row).catch(async (error: unknown) => {
        if (!isRejectedData(error)) throw error;
        return await importOne({
          ...row,
          asks: { problems: [{ field: 'row', reason: 'cannot be stored' }] },
        });
      });
      if (!went) return false;
      place = next;
    }
    return true;
  }

  async function take(step: Step): Promise<boolean> {
    const rows = step.records.map(readRow);
    unreadable += rows.filter(({ asks }) => 'problems' in asks && asks.isUnreadable).length;
    try {
      return await importRows(rows, step.from, step.to);
    } catch (error) {
      if (!isRejectedData(error)) throw error;
      return await importEach(step, rows);
    }
  }

  return {
    /** Of the file. */
    bytes,

    /** Imports the next rows: the short URLs and the place up to which the file is done are one transaction. Resolves to that place,
     *  in bytes, or to undefined when there is nothing more for this one to do. */
    async importChunk(): Promise<number | undefined> {
      if (steps.length === 0) {
        const allowed = await importStore.findOwner(id);
        if (allowed === undefined) return await finish(notAllowed);
        owner = allowed;
        await readOn();
      }
      const step = steps.shift();
      if (unreadable > maxUnreadable) return await finish(tooManyUnreadable);
      if (!step) return await finish(null);
      if (!(await take(step))) return undefined;
      at = step.to;
      return at.bytes;
    },
  };
}
