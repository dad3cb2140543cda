import { stringify } from 'csv-stringify/sync';
import type { Log } from '../../log.ts';
import type { BlockedHosts } from '../../urls/blocklist/blocklist.ts';
import { takeFirst } from '../files/parts.ts';
import { readUploadText, type UploadedAs } from '../files/read-upload-text.ts';
import { guardFormula } from '../rows/formula-guard.ts';
import {
  TooManyTransfers,
  TransferNotFound,
  UploadAborted,
  UploadRejected,
  UploadTooLarge,
} from '../transfer.ts';
import { splitIntoChunks } from './chunks.ts';
import type { Import, ImportUrlRules, NewImport } from './import.ts';
import { type ImportPreview, previewImport } from './preview.ts';
import { redactAddresses } from './redact-addresses.ts';
import type { StoredWarning } from './report-store.ts';
import type { ImportStore } from './store.ts';

/** Bytes of an upload that are buffered and stored at once. */
const chunkBytes = 256 * 1024;
/** The unit of the size limit of an import file. */
export const megabyte = 1_000_000;
/** Bytes of a file that a preview examines: a document or dump may have much else before and between its rows. */
const maxPreviewedBytes = 8 * megabyte;
const errorsPerPage = 1_000;

/** Most warnings that are shown with their import. */
const shownWarnings = 100;

/** What the client states about its file. */
type ImportRequest = Pick<NewImport, 'apiKeyId'> & UploadedAs;

export type Imports = ReturnType<typeof createImports>;

/** Imports for requests. Methods with an API key's id throw TransferNotFound for an import of another key; null means all keys. */
export function createImports(deps: {
  store: ImportStore;
  maxMegabytes: number;
  /** Maximum number of unfinished imports per API key, and of its uploads to this process. */
  maxPerKey: number;
  urlRules: ImportUrlRules;
  /** Requests the job; if that fails, its schedule finds the import. */
  requestJob: (id: number) => void;
  /** Requests the clean-up job, which also has a schedule. */
  requestCleanup: () => void;
  isBlocked: BlockedHosts['isBlocked'];
  log: Log;
}) {
  const { store, maxMegabytes, maxPerKey, urlRules, requestJob, requestCleanup, isBlocked, log } = deps;
  /** Uploads in progress by API key. The store does not count a deleted import, but its upload may continue. */
  const uploading = new Map<number, number>();

  function checkSize(bytes: number | undefined): void {
    if (bytes === undefined || bytes <= maxMegabytes * megabyte) return;
    throw new UploadTooLarge(`The file must be at most ${maxMegabytes} megabytes.`);
  }

  async function storeFile(id: number, source: AsyncIterable<Buffer>): Promise<void> {
    let bytes = 0;
    for await (const chunk of splitIntoChunks(source, chunkBytes)) {
      checkSize(bytes + chunk.length);
      if (!(await store.addChunk(id, bytes, chunk))) throw deletedDuringUpload();
      bytes += chunk.length;
    }
    if (bytes === 0) throw new UploadRejected('The file contains no rows.');
  }

  /** Passes the file through; throws UploadTooLarge above the limit. */
  async function* withinSize(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let bytes = 0;
    for await (const part of source) {
      bytes += part.length;
      checkSize(bytes);
      yield part;
    }
    if (bytes === 0) throw new UploadRejected('The file is empty.');
  }

  /** Runs an upload of an API key, unless it has too many in progress. */
  async function counted<T>(apiKeyId: number, upload: () => Promise<T>): Promise<T> {
    const others = uploading.get(apiKeyId) ?? 0;
    if (others >= maxPerKey) throw tooMany(maxPerKey);
    uploading.set(apiKeyId, others + 1);
    try {
      return await upload();
    } finally {
      const left = uploading.get(apiKeyId)! - 1;
      if (left === 0) uploading.delete(apiKeyId);
      else uploading.set(apiKeyId, left);
    }
  }

  const newImport = ({ apiKeyId, format, mapping }: ImportRequest): NewImport => ({
    apiKeyId,
    format,
    mapping,
    ...urlRules,
    encoding: 'csv',
  });

  async function receiveFile(source: AsyncIterable<Buffer>, request: ImportRequest): Promise<Import> {
    const id = await store.begin(newImport(request), maxPerKey);
    if (id === undefined) throw tooMany(maxPerKey);
    try {
      const { encoding, delimiter, charset, content } = await readUploadText(withinSize(source), request);
      await storeFile(id, redactAddresses(encoding, content, delimiter));
      const begun = await store.finishUpload(id, { encoding, delimiter, charset: charset() });
      if (!begun) throw deletedDuringUpload();
      requestJob(id);
      return begun;
    } catch (error) {
      await store.remove(id, null).catch((cause: unknown) => {
        log.debug(
          { err: cause, import: id },
          'failed to delete an aborted upload, leaving it to cleanup-transfers',
        );
      });
      throw error;
    }
  }

  async function get(id: number, apiKeyId: number | null): Promise<Import> {
    return orNotFound(await store.find(id, apiKeyId));
  }

  return {
    /** Throws UploadTooLarge for a file above the limit; an undefined size is checked during the upload. */
    checkSize,

    /** Stores a file from a stream and requests its import. An aborted upload leaves nothing behind. Throws TooManyTransfers, UploadRejected,
     *  UploadTooLarge, UploadAborted, and the errors of the source. */
    upload: async (source: AsyncIterable<Buffer>, request: ImportRequest): Promise<Import> =>
      await counted(request.apiKeyId, async () => await receiveFile(source, request)),

    /** Reads the beginning of a file, see `previewImport`. Throws as `upload` does. */
    preview: async (source: AsyncIterable<Buffer>, request: ImportRequest): Promise<ImportPreview> =>
      await counted(request.apiKeyId, async () => {
        const { content: begin, isCut } = takeFirst(withinSize(source), maxPreviewedBytes);
        try {
          const text = await readUploadText(begin, request);
          const content = redactAddresses(text.encoding, text.content, text.delimiter);
          return await previewImport(newImport(request), text, { content, isCut }, isBlocked);
        } catch (error) {
          if (!(error instanceof UploadRejected) || !isCut()) throw error;
          throw new UploadRejected(`${error.message} A preview reads the first 8 megabytes only.`);
        }
      }),

    get,

    /** The first warnings of an import, in the order of their rows. */
    readFirstWarnings: async (id: number): Promise<StoredWarning[]> =>
      await store.findWarnings(id, 0, shownWarnings),

    /** Up to `limit` imports that are older than `before`, the latest first. */
    list: (apiKeyId: number | null, before: number | undefined, limit: number): Promise<Import[]> =>
      store.list(apiKeyId, before, limit),

    /** Deletes an import in any state; resolves to its last state. The short URLs that it created are kept. */
    async remove(id: number, apiKeyId: number | null): Promise<Import> {
      const removed = orNotFound(await store.remove(id, apiKeyId));
      requestCleanup();
      return removed;
    },

    /** Streams the failed rows with their errors as CSV, guarded against formulas in spreadsheets. */
    async readErrors(id: number, apiKeyId: number | null): Promise<AsyncIterable<string>> {
      await get(id, apiKeyId);
      return writeList(
        ['line', 'field', 'reason', 'row', 'code'],
        async (after) => await store.findErrors(id, after, errorsPerPage),
        ({ line, field, reason, row, code }) => [line, field, guardFormula(reason), guardFormula(row), code],
      );
    },

    /** Streams the warnings of imported rows as CSV. Contains no values of the file. */
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

/** Streams a list as CSV, page by page. */
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
    `This API key has reached its limit of ${most} unfinished imports. Wait for one to finish, or delete one and end its upload.`,
  );

const deletedDuringUpload = () => new UploadAborted('The import was deleted during its upload.');

function orNotFound(found: Import | undefined): Import {
  if (!found) throw new TransferNotFound('No such import.');
  return found;
}
