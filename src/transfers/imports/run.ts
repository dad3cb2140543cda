import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { isRejectedData, type Knex } from '../../storage/postgres/postgres.ts';
import type { BlockedHosts } from '../../urls/blocklist/blocklist.ts';
import type { RefreshCache } from '../../urls/cache/refresh.ts';
import type { Owner } from '../../urls/store/owner.ts';
import type { ImportRecord, Position } from '../files/record.ts';
import { maxUnreadable, tooManyUnreadable } from '../files/records.ts';
import { detectFormat } from './detect-format.ts';
import { createImportFile } from './file.ts';
import { createRowReader, type Row } from './parse-row.ts';
import type { ImportStore } from './store.ts';
import type { Importer } from './write-rows.ts';

/** Most rows per transaction. */
const chunkSize = 1_000;

const notAllowed = 'The API key may no longer create short URLs.';

interface Step {
  from: Position;
  to: Position;
  records: ImportRecord[];
  /** The parsed records, once `rowsOf` has read them. */
  rows?: Row[];
}

export interface ImportDeps {
  importStore: ImportStore;
  importer: Importer;
  blockedHosts: Pick<BlockedHosts, 'refresh' | 'isBlocked'>;
  refreshCache: RefreshCache;
}

/** Opens an import at the position where the last worker stopped; undefined when it is finished. */
export async function openImport(deps: ImportDeps, id: number) {
  const { importStore, importer, blockedHosts, refreshCache } = deps;
  const found = await importStore.findUnfinished(id);
  if (!found) return undefined;
  const { bytes, encoding, delimiter, apiKeyId } = found;
  const read = async (from: number, length: number) => await importStore.readBytes(id, from, length);
  const file = createImportFile(encoding, bytes, read, delimiter);
  const known = found.columns ? found : await detectFormat(importStore, found, file);
  if (!known) return undefined;
  const readRow = createRowReader(known, blockedHosts.isBlocked);
  const steps: Step[] = [];
  let at: Position = { bytes: known.doneBytes, lines: known.doneLines };
  let { unreadable } = known;
  let owner: Owner = apiKeyId;

  async function finish(error: string | null): Promise<undefined> {
    await importStore.finish(id, error);
  }

  async function readSteps(): Promise<void> {
    await blockedHosts.refresh();
    const found = await file.readNext(at);
    if (!found) return;
    const { records, end } = found;
    for (let i = 0, from = at; i === 0 || i < records.length; i += chunkSize) {
      const isLast = i + chunkSize >= records.length;
      const to = isLast ? end : records[i + chunkSize - 1]!.end;
      steps.push({ from, to, records: records.slice(i, i + chunkSize) });
      from = to;
    }
  }

  const rowsOf = (step: Step): Row[] => (step.rows ??= step.records.map(readRow));

  /** Parses the next rows while PostgreSQL inserts these. */
  async function prepareNext(): Promise<void> {
    await yieldToEventLoop();
    if (steps[0]) rowsOf(steps[0]);
  }

  /** False when another worker has continued the import, or it is finished. */
  async function importRows(rows: Row[], from: Position, to: Position): Promise<boolean> {
    await importer.prepareKeys(rows.length);
    const work = async (trx: Knex) => {
      // A retry after a deadlock needs as many keys again.
      await importer.prepareKeys(rows.length);
      const creating = importer.createUrls(trx, rows, { createdBy: apiKeyId, owner });
      const [outcome] = await Promise.all([creating, prepareNext()]);
      return outcome;
    };
    if (!(await importStore.advance(id, from, to, work))) return false;
    // The cache may have negative entries or tombstones for these codes.
    await refreshCache(rows.flatMap(({ parsed }) => ('url' in parsed ? (parsed.url.shortCode ?? []) : [])));
    return true;
  }

  /** One transaction per row, after PostgreSQL rejected the data of one of them. */
  async function importEach({ from, to, records }: Step, rows: Row[]): Promise<boolean> {
    let position = from;
    for (const [i, row] of rows.entries()) {
      const next = i === rows.length - 1 ? to : records[i]!.end;
      const importOne = async (row: Row) => await importRows([row], position, next);
      const isImported = await importOne(row).catch(async (error: unknown) => {
        if (!isRejectedData(error)) throw error;
        return await importOne({
          ...row,
          parsed: { problems: [{ field: 'row', reason: 'cannot be stored' }] },
        });
      });
      if (!isImported) return false;
      position = next;
    }
    return true;
  }

  async function importStep(step: Step): Promise<boolean> {
    const rows = rowsOf(step);
    unreadable += rows.filter(({ parsed }) => 'problems' in parsed && parsed.isUnreadable).length;
    try {
      return await importRows(rows, step.from, step.to);
    } catch (error) {
      if (!isRejectedData(error)) throw error;
      return await importEach(step, rows);
    }
  }

  return {
    /** Size of the file. */
    bytes,

    /** Imports the next rows and records the position after them in one transaction. Resolves to that position, in bytes, or to undefined when
     *  nothing remains for this worker. */
    async importChunk(): Promise<number | undefined> {
      if (steps.length === 0) {
        const allowed = await importStore.findOwner(id);
        if (allowed === undefined) return await finish(notAllowed);
        owner = allowed;
        await readSteps();
      }
      const step = steps.shift();
      if (unreadable > maxUnreadable) return await finish(tooManyUnreadable);
      if (!step) return await finish(null);
      if (!(await importStep(step))) return undefined;
      at = step.to;
      return at.bytes;
    },
  };
}
