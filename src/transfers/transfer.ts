/** How rows are written down: one line of comma-separated values each, or one JSON object. */
export type Encoding = 'csv' | 'ndjson';

/** What an export is about to do or has done. `failed` is one that cannot be written. */
export type ExportState = 'waiting' | 'running' | 'completed' | 'failed';

/** The same of an import, whose file comes first. `failed` is one that could not be read to its end. */
export type ImportState = 'uploading' | ExportState;

/** There is no such import or export, or it is another API key's. */
export class TransferNotFound extends Error {
  override readonly name = 'TransferNotFound';
}

/** The API key has as many imports under way, or exports, as it may have; the message says what to do. */
export class TooManyTransfers extends Error {
  override readonly name = 'TooManyTransfers';
}

/** What was uploaded can be no import; the message says why. */
export class UploadRejected extends Error {
  override readonly name = 'UploadRejected';
}

/** What was uploaded is longer than an import may be. */
export class UploadTooLarge extends Error {
  override readonly name = 'UploadTooLarge';
}

/** The upload stopped before its end. */
export class UploadAborted extends Error {
  override readonly name = 'UploadAborted';
}

/** The export's file is not complete, yet or at all. */
export class ExportNotReady extends Error {
  override readonly name = 'ExportNotReady';
}
