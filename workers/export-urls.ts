import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { isRefusedData } from '../src/postgres.ts';
import type { ExportSources } from '../src/transfers/export-source.ts';
import type { Export, ExportPiece, ExportStore } from '../src/transfers/export-store.ts';
import { writeHead, writeRows } from '../src/transfers/export-text.ts';
import { eachWaiting } from './each-waiting.ts';
import { type JobContext, percentOf } from './processor.ts';

const compress = promisify(gzip);

/** Rows per piece and transaction. */
const pieceSize = 5_000;
interface Deps {
  exportStore: ExportStore;
  exportSources: ExportSources;
}

/** Writes the file of one export, or, without an id, of each that waits or whose worker is gone. Each piece of it and the row up to
 *  which it goes are one transaction: a run after a crash goes on where the last one stood, and of two at once one leaves. */
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
    if (!isRefusedData(error)) throw error;
    await exportStore.finish(id, 'PostgreSQL refuses what it asks for.');
  });
  const left = await exportStore.find(id, null);
  if (!left) return { status: 'the export was removed', interrupted: false };
  const { state, rows, bytes } = left;
  return { state, rows, bytes, interrupted: context.signal.aborted && state === 'running' };
}

async function writeFile(deps: Deps, id: number, { reportProgress, signal }: JobContext): Promise<void> {
  const { exportStore, exportSources } = deps;
  const wanted = await exportStore.findUnfinished(id);
  const begun = wanted && (await exportStore.begin(id, await exportSources[wanted.kind].findLastId()));
  for (let at = begun; at && !signal.aborted;) {
    const piece = await writePiece(deps, at);
    if (!piece) return await exportStore.finish(id, null);
    if (!(await exportStore.addPiece(id, at, piece))) return;
    await reportProgress(percentOf(piece.lastId, at.upToId ?? 0));
    at = { ...at, lastId: piece.lastId, pieces: at.pieces + 1 };
  }
}

/** The next rows of an export; undefined at its end. A file has a head, even one without rows. */
async function writePiece({ exportSources }: Deps, at: Export): Promise<ExportPiece | undefined> {
  const { kind, encoding, owner, filter, lastId, upToId, pieces } = at;
  const { columns, findRows } = exportSources[kind];
  const rows = await findRows({ after: lastId, upTo: upToId ?? 0, owner, filter, limit: pieceSize });
  const head = pieces === 0 ? writeHead(encoding, columns) : '';
  const text = Buffer.from(head + writeRows(encoding, columns, rows));
  if (text.length === 0) return undefined;
  return {
    content: await compress(text, { level: constants.Z_BEST_SPEED }),
    bytes: text.length,
    rows: rows.length,
    lastId: rows.at(-1)?.id ?? lastId,
  };
}
