import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { isRejectedData } from '../../../src/storage/postgres/postgres.ts';
import { writeHead, writeRows } from '../../../src/transfers/exports/serialize.ts';
import type { ExportSources } from '../../../src/transfers/exports/source.ts';
import type { Export, ExportChunk, ExportStore } from '../../../src/transfers/exports/store.ts';
import { type JobContext, percentOf } from '../../job-context.ts';
import { eachWaiting } from '../steps/each-waiting.ts';

const compress = promisify(gzip);

/** Size of a chunk, which is one transaction, in bytes before compression; the last rows may exceed it. */
const chunkBytes = 1024 * 1024;
/** Rows in memory at once; one may take 20 KB. */
const pageRows = 250;

interface Deps {
  exportStore: ExportStore;
  exportSources: ExportSources;
}

/** Runs one export or, without an id, all that wait or whose worker is gone. Each chunk and its last row are one transaction: after a crash
 *  the next run continues there, and of two concurrent runs one ends. */
export async function exportUrls(deps: Deps, id: number | undefined, context: JobContext) {
  if (id !== undefined) return await exportOne(deps, id, context);
  const exports = await eachWaiting(
    deps.exportStore,
    async (waiting) => await exportOne(deps, waiting, context),
    context.signal,
  );
  return exports === 0
    ? { exports, status: 'nothing to export' }
    : { exports, interrupted: context.signal.aborted };
}

async function exportOne(deps: Deps, id: number, context: JobContext) {
  const { exportStore } = deps;
  await writeFile(deps, id, context).catch(async (error: unknown) => {
    if (!isRejectedData(error)) throw error;
    await exportStore.finish(id, 'PostgreSQL rejects the query of the export.');
  });
  const current = await exportStore.find(id, null);
  if (!current) return { status: 'the export was deleted', interrupted: false };
  const { state, rows, bytes } = current;
  return { state, rows, bytes, interrupted: context.signal.aborted && state === 'running' };
}

async function writeFile(deps: Deps, id: number, { reportProgress, signal }: JobContext): Promise<void> {
  const { exportStore, exportSources } = deps;
  const found = await exportStore.findUnfinished(id);
  const started = found && (await exportStore.begin(id, await exportSources[found.kind].findLastId()));
  for (let at = started; at && !signal.aborted;) {
    const chunk = await writeChunk(deps, at);
    if (!chunk) return await exportStore.finish(id, null);
    if (!(await exportStore.addChunk(id, at, chunk))) return;
    await reportProgress(percentOf(chunk.lastId, at.upToId ?? 0));
    at = { ...at, lastId: chunk.lastId, chunks: at.chunks + 1 };
  }
}

/** Writes the next rows of an export; undefined at its end. A file without rows still has its header. */
async function writeChunk({ exportSources }: Deps, at: Export): Promise<ExportChunk | undefined> {
  const { kind, encoding, owner, filter, chunks } = at;
  const { columns, findRows } = exportSources[kind];
  const parts = [Buffer.from(chunks === 0 ? writeHead(encoding, columns) : '')];
  const chunk = { bytes: parts[0]!.length, rows: 0, lastId: at.lastId };
  while (chunk.bytes < chunkBytes) {
    const query = { after: chunk.lastId, upTo: at.upToId ?? 0, owner, filter, limit: pageRows };
    const rows = await findRows(query);
    const last = rows.at(-1);
    if (!last) break;
    const part = Buffer.from(writeRows(encoding, columns, rows));
    parts.push(part);
    chunk.bytes += part.length;
    chunk.rows += rows.length;
    chunk.lastId = last.id;
  }
  if (chunk.bytes === 0) return undefined;
  return { ...chunk, content: await compress(Buffer.concat(parts), { level: constants.Z_BEST_SPEED }) };
}
