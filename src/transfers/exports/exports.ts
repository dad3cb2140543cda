import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Owner } from '../../urls/store/owner.ts';
import { ExportNotReady, TooManyTransfers, TransferNotFound } from '../transfer.ts';
import type { Export, ExportStore, NewExport } from './store.ts';

const decompress = promisify(gunzip);

export type Exports = ReturnType<typeof createExports>;

/** Exports as requests see them. Where a method takes an API key's id, null stands for all of them; of another key's exports it knows
 *  nothing and throws TransferNotFound. */
export function createExports(deps: {
  store: ExportStore;
  /** Exports of one API key at once. */
  maxPerKey: number;
  /** Asks for the job that writes it; where that is in vain, its schedule finds the export. */
  requestJob: (id: number) => void;
  /** Asks for the job that removes files nobody needs any more; there is a schedule, too. */
  requestCleanup: () => void;
}) {
  const { store, maxPerKey, requestJob, requestCleanup } = deps;

  async function get(id: number, apiKeyId: number | null): Promise<Export> {
    return orNotFound(await store.find(id, apiKeyId));
  }

  async function* readChunks({ id, chunks }: Export): AsyncGenerator<Buffer> {
    for (let n = 0; n < chunks; n++) {
      const chunk = await store.findPiece(id, n);
      if (!chunk) throw new Error(`the file of export ${id} was removed while it was downloaded`);
      yield await decompress(chunk);
    }
  }

  return {
    /** Throws TooManyTransfers. */
    async create(wanted: NewExport): Promise<Export> {
      const created = await store.create(wanted, maxPerKey);
      if (!created) throw new TooManyTransfers(`There are ${maxPerKey} exports of this API key. Delete one.`);
      requestJob(created.id);
      return created;
    },

    get,

    /** Up to `limit` exports that are older than `before`, the latest first. */
    list: (apiKeyId: number | null, before: number | undefined, limit: number): Promise<Export[]> =>
      store.list(apiKeyId, before, limit),

    /** Ends an export, wherever it stands, and forgets it with its file; resolves to how it stood. */
    async remove(id: number, apiKeyId: number | null): Promise<Export> {
      const removed = orNotFound(await store.remove(id, apiKeyId));
      requestCleanup();
      return removed;
    },

    /** The file, a chunk at a time, for whoever may see short URLs of this owner now. Throws ExportNotReady. */
    async readFile(id: number, apiKeyId: number | null, owner: Owner) {
      const found = await get(id, apiKeyId);
      if (owner !== null && found.owner !== owner)
        throw new TransferNotFound('The export holds short URLs that are not for this API key any more.');
      if (found.state === 'failed') throw new ExportNotReady(`The export failed: ${found.error}`);
      if (found.state !== 'completed') throw new ExportNotReady('The export is not complete yet.');
      return { ...found, content: readChunks(found) };
    },
  };
}

function orNotFound(found: Export | undefined): Export {
  if (!found) throw new TransferNotFound('There is no such export.');
  return found;
}
