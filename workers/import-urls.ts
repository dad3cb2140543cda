import { openImport } from '../src/transfers/import-run.ts';
import type { ImportStore } from '../src/transfers/import-store.ts';
import type { Importer } from '../src/transfers/importer.ts';
import { type JobContext, percentOf } from './processor.ts';

/** An import of which nothing was heard for this long is nobody's. */
const silentSeconds = 30;

interface Deps {
  importStore: ImportStore;
  importer: Importer;
}

/** Works through the file of one import, or, without an id, of each that waits or whose worker is gone. A run after a crash goes on
 *  where the last one stood; of two at once, one leaves. */
export async function importUrls(deps: Deps, id: number | undefined, context: JobContext) {
  if (id !== undefined) return await importOne(deps, id, context);
  let imports = 0;
  for (;;) {
    const waiting = await deps.importStore.findWaiting(silentSeconds);
    if (waiting === undefined) break;
    const { interrupted } = await importOne(deps, waiting, context);
    if (interrupted) return { imports, interrupted };
    imports += 1;
  }
  return imports === 0 ? { imports, status: 'nothing to import' } : { imports, interrupted: false };
}

async function importOne(deps: Deps, id: number, { reportProgress, signal }: JobContext) {
  const run = await openImport(deps, id);
  for (let more = run !== undefined; more;) {
    const done = await run?.importChunk();
    more = done !== undefined && !signal.aborted;
    if (run && done !== undefined) await reportProgress(percentOf(done, run.bytes));
  }
  const left = await deps.importStore.find(id, null);
  if (!left) return { status: 'the import was removed', interrupted: false };
  const { state, rows, created, skipped, failed } = left;
  return { state, rows, created, skipped, failed, interrupted: signal.aborted && state === 'running' };
}
