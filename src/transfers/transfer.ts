/** The encoding of rows: CSV, or one JSON object per line. */
export type Encoding = 'csv' | 'ndjson';

/** The state of an export; `failed` when it cannot be written. */
export type ExportState = 'waiting' | 'running' | 'completed' | 'failed';

/** The state of an import; `failed` when its file could not be read to the end. */
export type ImportState = 'uploading' | ExportState;

/** The import or export does not exist, or belongs to another API key. */
export class TransferNotFound extends Error {
  override readonly name = 'TransferNotFound';
}

/** The API key has reached its limit of imports or exports; the message has the remedy. */
export class TooManyTransfers extends Error {
  override readonly name = 'TooManyTransfers';
}

/** The uploaded file cannot be imported; the message has the reason. */
export class UploadRejected extends Error {
  override readonly name = 'UploadRejected';
}

/** The uploaded file exceeds the maximum size of an import. */
export class UploadTooLarge extends Error {
  override readonly name = 'UploadTooLarge';
}

/** The upload ended prematurely. */
export class UploadAborted extends Error {
  override readonly name = 'UploadAborted';
}

/** The file of the export is not complete. */
export class ExportNotReady extends Error {
  override readonly name = 'ExportNotReady';
}
