import { type ImportDeps, openImport } from '../../src/transfers/imports/run.ts';
import { eachWaiting } from './each-waiting.ts';
import { type JobContext, percentOf } from './job-context.ts';

/** Works through the file of one import, or, without an id, of each that waits or whose worker is gone. A run after a crash goes on
 *  where the last one stood; of two at once, one leaves. */
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
