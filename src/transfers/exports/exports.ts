import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { Owner } from '../../urls/store/owner.ts';
import { ExportNotReady, TooManyTransfers, TransferNotFound } from '../transfer.ts';
import type { Export, ExportStore, NewExport } from './store.ts';

const decompress = promisify(gunzip);

export type Exports = ReturnType<typeof createExports>;

/** Exports for requests. Methods with an API key's id throw TransferNotFound for an export of another key; null means all keys. */
export function createExports(deps: {
  store: ExportStore;
  /** Maximum number of exports per API key. */
  maxPerKey: number;
  /** Requests the job; if that fails, its schedule finds the export. */
  requestJob: (id: number) => void;
  /** Requests the clean-up job, which also has a schedule. */
  requestCleanup: () => void;
}) {
  const { store, maxPerKey, requestJob, requestCleanup } = deps;

  async function get(id: number, apiKeyId: number | null): Promise<Export> {
    return orNotFound(await store.find(id, apiKeyId));
  }

  async function* readChunks({ id, chunks }: Export): AsyncGenerator<Buffer> {
    for (let n = 0; n < chunks; n++) {
      const chunk = await store.findChunk(id, n);
      if (!chunk) throw new Error(`the file of export ${id} was deleted during the download`);
      yield await decompress(chunk);
    }
  }

  return {
    /** Throws TooManyTransfers. */
    async create(input: NewExport): Promise<Export> {
      const created = await store.create(input, maxPerKey);
      if (!created)
        throw new TooManyTransfers(`This API key has reached its limit of ${maxPerKey} exports. Delete one.`);
      requestJob(created.id);
      return created;
    },

    get,

    /** Up to `limit` exports that are older than `before`, the latest first. */
    list: (apiKeyId: number | null, before: number | undefined, limit: number): Promise<Export[]> =>
      store.list(apiKeyId, before, limit),

    /** Deletes an export and its file in any state; resolves to its last state. */
    async remove(id: number, apiKeyId: number | null): Promise<Export> {
      const removed = orNotFound(await store.remove(id, apiKeyId));
      requestCleanup();
      return removed;
    },

    /** Streams the file in chunks, if the API key may still see the short URLs in it. Throws ExportNotReady. */
    async readFile(id: number, apiKeyId: number | null, owner: Owner) {
      const found = await get(id, apiKeyId);
      if (owner !== null && found.owner !== owner)
        throw new TransferNotFound('The export contains short URLs that this API key may no longer access.');
      if (found.state === 'failed') throw new ExportNotReady(`The export failed: ${found.error}`);
      if (found.state !== 'completed') throw new ExportNotReady('The export is not complete yet.');
      return { ...found, content: readChunks(found) };
    },
  };
}

function orNotFound(found: Export | undefined): Export {
  if (!found) throw new TransferNotFound('No such export.');
  return found;
}
