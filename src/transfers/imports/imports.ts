import { stringify } from 'csv-stringify/sync';
import type { Log } from '../../log.ts';
import { readUploadText, type UploadedAs } from '../files/read-upload-text.ts';
import { guardFormula } from '../rows/formula-guard.ts';
import {
  TooManyTransfers,
  TransferNotFound,
  UploadAborted,
  UploadRejected,
  UploadTooLarge,
} from '../transfer.ts';
import { cutIntoChunks } from './chunks.ts';
import { leaveOutAddresses } from './redact-addresses.ts';
import type { Import, ImportStore, ImportUrlRules, NewImport, StoredWarning } from './store.ts';

/** What of an upload is held in memory and stored at once. */
const chunkBytes = 256 * 1024;
const megabyte = 1_000_000;
const errorsPerPage = 1_000;

/** Warnings that are shown with their import. */
const shownWarnings = 100;

/** What the client says of the file that it uploads. */
type WantedImport = Pick<NewImport, 'apiKeyId'> & UploadedAs;

export type Imports = ReturnType<typeof createImports>;

/** Imports as requests see them. Where a method takes an API key's id, null stands for all of them; of another key's imports it knows
 *  nothing and throws TransferNotFound. */
export function createImports(deps: {
  store: ImportStore;
  maxMegabytes: number;
  /** Imports of one API key that are not over, and uploads to this process, at once. */
  maxPerKey: number;
  urlRules: ImportUrlRules;
  /** Asks for the job that imports it; where that is in vain, its schedule finds the import. */
  requestJob: (id: number) => void;
  /** Asks for the job that removes files nobody needs any more; there is a schedule, too. */
  requestCleanup: () => void;
  log: Log;
}) {
  const { store, maxMegabytes, maxPerKey, urlRules, requestJob, requestCleanup, log } = deps;
  /** How many files come in, by API key. An import that is removed does not count in the store, and its file may still come. */
  const uploading = new Map<number, number>();

  function checkSize(bytes: number | undefined): void {
    if (bytes === undefined || bytes <= maxMegabytes * megabyte) return;
    throw new UploadTooLarge(`The file must not be longer than ${maxMegabytes} megabytes.`);
  }

  async function keepFile(id: number, source: AsyncIterable<Buffer>): Promise<void> {
    let bytes = 0;
    for await (const chunk of cutIntoChunks(source, chunkBytes)) {
      checkSize(bytes + chunk.length);
      if (!(await store.addChunk(id, bytes, chunk))) throw removedMeanwhile();
      bytes += chunk.length;
    }
    if (bytes === 0) throw new UploadRejected('The file holds no row.');
  }

  /** The same file, as long as it may be. */
  async function* withinSize(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let bytes = 0;
    for await (const part of source) {
      bytes += part.length;
      checkSize(bytes);
      yield part;
    }
    if (bytes === 0) throw new UploadRejected('The file is empty.');
  }

  async function takeFile(source: AsyncIterable<Buffer>, wanted: WantedImport): Promise<Import> {
    const { apiKeyId, format, mapping } = wanted;
    const expected = { apiKeyId, format, mapping, ...urlRules, encoding: 'csv' as const };
    const id = await store.begin(expected, maxPerKey);
    if (id === undefined) throw tooMany(maxPerKey);
    try {
      const { encoding, delimiter, charset, content } = await readUploadText(withinSize(source), wanted);
      await keepFile(id, leaveOutAddresses(encoding, content, delimiter));
      const begun = await store.finishUpload(id, { encoding, delimiter, charset: charset() });
      if (!begun) throw removedMeanwhile();
      requestJob(id);
      return begun;
    } catch (error) {
      await store.remove(id, null).catch((cause: unknown) => {
        log.debug({ err: cause, import: id }, 'a broken upload could not be removed; cleanup-transfers will');
      });
      throw error;
    }
  }

  async function get(id: number, apiKeyId: number | null): Promise<Import> {
    return orNotFound(await store.find(id, apiKeyId));
  }

  return {
    /** Throws UploadTooLarge when an import may not be so long; of an undefined length nothing is known yet. */
    checkSize,

    /** Takes a file as it comes and has it imported; holds a small part of it at any time. What breaks off leaves nothing behind.
     *  Throws TooManyTransfers, UploadRejected, UploadTooLarge, UploadAborted, and what the source throws. */
    async upload(source: AsyncIterable<Buffer>, wanted: WantedImport): Promise<Import> {
      const { apiKeyId } = wanted;
      const others = uploading.get(apiKeyId) ?? 0;
      if (others >= maxPerKey) throw tooMany(maxPerKey);
      uploading.set(apiKeyId, others + 1);
      try {
        return await takeFile(source, wanted);
      } finally {
        const left = uploading.get(apiKeyId)! - 1;
        if (left === 0) uploading.delete(apiKeyId);
        else uploading.set(apiKeyId, left);
      }
    },

    get,

    /** The first warnings of an import, in the order of their rows. */
    readFirstWarnings: async (id: number): Promise<StoredWarning[]> =>
      await store.findWarnings(id, 0, shownWarnings),

    /** Up to `limit` imports that are older than `before`, the latest first. */
    list: (apiKeyId: number | null, before: number | undefined, limit: number): Promise<Import[]> =>
      store.list(apiKeyId, before, limit),

    /** Ends an import, wherever it stands, and forgets it; resolves to how it stood. The short URLs that it has created stay. */
    async remove(id: number, apiKeyId: number | null): Promise<Import> {
      const removed = orNotFound(await store.remove(id, apiKeyId));
      requestCleanup();
      return removed;
    },

    /** The rows that were not imported so far and why, as CSV that no spreadsheet takes for formulas, a part at a time. */
    async readErrors(id: number, apiKeyId: number | null): Promise<AsyncIterable<string>> {
      await get(id, apiKeyId);
      return writeList(
        ['line', 'field', 'reason', 'row', 'code'],
        async (after) => await store.findErrors(id, after, errorsPerPage),
        ({ line, field, reason, row, code }) => [line, field, guardFormula(reason), guardFormula(row), code],
      );
    },

    /** What rows were imported without so far, as CSV, a part at a time. It holds nothing of the file. */
    async readWarnings(id: number, apiKeyId: number | null): Promise<AsyncIterable<string>> {
      await get(id, apiKeyId);
      return writeList(
        ['line', 'field', 'code', 'reason'],
        async (after) => await store.findWarnings(id, after, errorsPerPage),
        ({ line, field, code, reason }) => [line, field, code, reason],
      );
    },
  };
}

/** A list as CSV with these columns, read a page at a time. */
async function* writeList<Entry extends { id: number }>(
  columns: string[],
  findPage: (after: number) => Promise<Entry[]>,
  cellsOf: (entry: Entry) => unknown[],
): AsyncGenerator<string> {
  yield stringify([columns]);
  for (let after = 0; ;) {
    const page = await findPage(after);
    const last = page.at(-1);
    if (!last) return;
    yield stringify(page.map(cellsOf));
    after = last.id;
  }
}

const tooMany = (most: number) =>
  new TooManyTransfers(
    `${most} imports of this API key are not over yet. Wait until one is, or delete one and end its upload.`,
  );

const removedMeanwhile = () => new UploadAborted('The import was removed while its file came.');

function orNotFound(found: Import | undefined): Import {
  if (!found) throw new TransferNotFound('There is no such import.');
  return found;
}
