import type { ExportStore } from '../../src/transfers/exports/store.ts';
import type { ImportStore } from '../../src/transfers/imports/store.ts';
import type { JobContext } from './job-context.ts';

/** Pieces, of a quarter of a megabyte each, that one statement removes: short transactions. */
const sliceOfChunks = 100;
/** Imports and exports that one statement removes, with the errors of their rows. */
const sliceOfTransfers = 20;
/** An upload of which nothing came for so long was given up. */
const silentHours = 1;

/** Removes the files of imports that are over, uploads that broke off, and imports and exports that ended longer ago than the
 *  retention. */
export async function cleanupTransfers(
  { importStore, exportStore }: { importStore: ImportStore; exportStore: ExportStore },
  retentionDays: number,
  { reportProgress, signal }: JobContext,
) {
  async function removeAll(removeSome: () => Promise<number>): Promise<number> {
    let removed = 0;
    for (let more = true; more;) {
      const count = await removeSome();
      removed += count;
      more = count > 0 && !signal.aborted;
    }
    return removed;
  }

  // Pieces first: what they belong to would take them along, all in one transaction.
  const chunks = await removeAll(() => importStore.removeChunks(silentHours, sliceOfChunks));
  await reportProgress(25);
  const imports = await removeAll(() => importStore.removeOld(retentionDays, silentHours, sliceOfTransfers));
  await reportProgress(50);
  const exportPieces = await removeAll(() => exportStore.removeChunks(retentionDays, sliceOfChunks));
  await reportProgress(75);
  const exports = await removeAll(() => exportStore.removeOld(retentionDays, sliceOfTransfers));
  await reportProgress(100);
  const removed = { chunks: chunks + exportPieces, imports, exports };
  if (removed.chunks + imports + exports === 0) return { ...removed, status: 'nothing to clean up' };
  return { ...removed, interrupted: signal.aborted };
}
