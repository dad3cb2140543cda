import { stringify } from 'csv-stringify/sync';
import type { Log } from '../log.ts';
import { leaveOutAddresses } from './address-filter.ts';
import { guardFormula } from './formula-guard.ts';
import type { Import, ImportStore, NewImport } from './import-store.ts';
import { cutIntoPieces } from './pieces.ts';
import {
  TooManyTransfers,
  TransferNotFound,
  UploadBroken,
  UploadRefused,
  UploadTooLarge,
} from './transfer.ts';

/** What of an upload is held in memory and stored at once. */
const pieceBytes = 256 * 1024;
const megabyte = 1_000_000;
const errorsPerPage = 1_000;

/** What whoever uploads a file says of it. */
type WantedImport = Pick<NewImport, 'apiKeyId' | 'encoding' | 'format'>;

export type Imports = ReturnType<typeof createImports>;

/** Imports as requests see them. Where a method takes an API key's id, null stands for all of them; of another key's imports it knows
 *  nothing and throws TransferNotFound. */
export function createImports(deps: {
  store: ImportStore;
  maxMegabytes: number;
  /** Imports of one API key that are not over, and uploads to this process, at once. */
  maxPerKey: number;
  ownHosts: string[];
  allowsPrivate: boolean;
  /** Asks for the job that imports it; where that is in vain, its schedule finds the import. */
  askForJob: (id: number) => void;
  /** Asks for the job that removes files nobody needs any more; there is a schedule, too. */
  askForCleanup: () => void;
  log: Log;
}) {
  const { store, maxMegabytes, maxPerKey, ownHosts, allowsPrivate, askForJob, askForCleanup, log } = deps;
  /** How many files come in, by API key. An import that is removed does not count in the store, and its file may still come. */
  const uploading = new Map<number, number>();

  function checkSize(bytes: number | undefined): void {
    if (bytes === undefined || bytes <= maxMegabytes * megabyte) return;
    throw new UploadTooLarge(`The file must not be longer than ${maxMegabytes} megabytes.`);
  }

  async function keepFile(id: number, source: AsyncIterable<Buffer>): Promise<void> {
    let bytes = 0;
    for await (const piece of cutIntoPieces(source, pieceBytes)) {
      checkSize(bytes + piece.length);
      if (!(await store.addPiece(id, bytes, piece))) throw removedMeanwhile();
      bytes += piece.length;
    }
    if (bytes === 0) throw new UploadRefused('The file is empty.');
  }

  async function takeFile(source: AsyncIterable<Buffer>, wanted: WantedImport): Promise<Import> {
    const id = await store.begin({ ...wanted, ownHosts, allowsPrivate }, maxPerKey);
    if (id === undefined) throw tooMany(maxPerKey);
    try {
      await keepFile(id, leaveOutAddresses(wanted.encoding, source));
      const begun = await store.finishUpload(id);
      if (!begun) throw removedMeanwhile();
      askForJob(id);
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
     *  Throws TooManyTransfers, UploadRefused, UploadTooLarge, UploadBroken, and what the source throws. */
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

    /** Up to `limit` imports that are older than `before`, the latest first. */
    list: (apiKeyId: number | null, before: number, limit: number): Promise<Import[]> =>
      store.list(apiKeyId, before, limit),

    /** Ends an import, wherever it stands, and forgets it; resolves to how it stood. The short URLs that it has created stay. */
    async remove(id: number, apiKeyId: number | null): Promise<Import> {
      const removed = orNotFound(await store.remove(id, apiKeyId));
      askForCleanup();
      return removed;
    },

    /** The rows that were not imported so far and why, as CSV that no spreadsheet takes for formulas, a part at a time. */
    async readErrors(id: number, apiKeyId: number | null): Promise<AsyncIterable<string>> {
      await get(id, apiKeyId);
      return writeErrors(id);
    },
  };

  async function* writeErrors(id: number): AsyncGenerator<string> {
    yield stringify([['line', 'field', 'reason', 'row']]);
    for (let after = 0; ;) {
      const errors = await store.findErrors(id, after, errorsPerPage);
      const last = errors.at(-1);
      if (!last) return;
      yield stringify(
        errors.map(({ line, field, reason, row }) => [line, field, guardFormula(reason), guardFormula(row)]),
      );
      after = last.id;
    }
  }
}

const tooMany = (most: number) =>
  new TooManyTransfers(
    `${most} imports of this API key are not over yet. Wait until one is, or delete one and end its upload.`,
  );

const removedMeanwhile = () => new UploadBroken('The import was removed while its file came.');

function orNotFound(found: Import | undefined): Import {
  if (!found) throw new TransferNotFound('There is no such import.');
  return found;
}
