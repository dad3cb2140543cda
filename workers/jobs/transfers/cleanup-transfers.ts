import type { ExportStore } from '../../../src/transfers/exports/store.ts';
import type { ImportStore } from '../../../src/transfers/imports/store.ts';
import type { JobContext } from '../../job-context.ts';
import { inSlices } from '../steps/slices.ts';

/** Chunks, of 256 KB each, that one statement deletes: transactions stay short. */
const sliceOfChunks = 100;
/** Imports and exports that one statement deletes, with the errors of their rows. */
const sliceOfTransfers = 20;
/** An upload that has received nothing for this long was aborted. */
const idleUploadHours = 1;

/** Deletes the files of finished imports, aborted uploads, and imports and exports past their retention. */
export async function cleanupTransfers(
  { importStore, exportStore }: { importStore: ImportStore; exportStore: ExportStore },
  retentionDays: number,
  { reportProgress, signal }: JobContext,
) {
  // Chunks first: deleting their import or export would cascade to all of them in one transaction.
  const slices = [
    async () => await importStore.removeChunks(idleUploadHours, sliceOfChunks),
    async () => await importStore.removeOld(retentionDays, idleUploadHours, sliceOfTransfers),
    async () => await exportStore.removeChunks(retentionDays, sliceOfChunks),
    async () => await exportStore.removeOld(retentionDays, sliceOfTransfers),
  ];
  const counts: number[] = [];
  for (const removeSlice of slices) {
    counts.push(await inSlices(removeSlice, { signal }));
    await reportProgress((100 * counts.length) / slices.length);
  }
  const [importChunks = 0, imports = 0, exportChunks = 0, exports = 0] = counts;
  const removed = { chunks: importChunks + exportChunks, imports, exports };
  if (removed.chunks + imports + exports === 0) return { ...removed, status: 'nothing to clean up' };
  return { ...removed, interrupted: signal.aborted };
}
