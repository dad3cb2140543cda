import { type ImportDeps, openImport } from '../../../src/transfers/imports/run.ts';
import { type JobContext, percentOf } from '../../job-context.ts';
import { eachWaiting } from '../steps/each-waiting.ts';

/** Runs one import or, without an id, all that wait or whose worker is gone. After a crash the next run continues where the last one stopped;
 *  of two concurrent runs one ends. */
export async function importUrls(deps: ImportDeps, id: number | undefined, context: JobContext) {
  if (id !== undefined) return await importOne(deps, id, context);
  const imports = await eachWaiting(
    deps.importStore,
    async (waiting) => await importOne(deps, waiting, context),
    context.signal,
  );
  return imports === 0
    ? { imports, status: 'nothing to import' }
    : { imports, interrupted: context.signal.aborted };
}

async function importOne(deps: ImportDeps, id: number, { reportProgress, signal }: JobContext) {
  const run = await openImport(deps, id);
  while (!signal.aborted) {
    const done = await run?.importChunk();
    if (!run || done === undefined) break;
    await reportProgress(percentOf(done, run.bytes));
  }
  const current = await deps.importStore.find(id, null);
  if (!current) return { status: 'the import was deleted', interrupted: false };
  const { state, rows, created, skipped, failed } = current;
  return { state, rows, created, skipped, failed, interrupted: signal.aborted && state === 'running' };
}
