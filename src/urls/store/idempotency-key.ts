/** Identifies a repeated request. Keys of different API keys are independent. */
export interface IdempotencyKey {
  /** The client's value. */
  key: string;
  /** Hash of the whole request. */
  requestHash: Buffer;
  /** The index of the short URL within the request. */
  item: number;
}

/** The idempotency key was used with a different request. */
export class IdempotencyKeyReused extends Error {
  override readonly name = 'IdempotencyKeyReused';
}

/** The columns of an idempotency key in a row to insert; they do not belong to `urls`. */
export const idempotencyColumns = 'idempotency_key, idempotency_item, request_hash';

/** The same with their types. */
export const idempotencyTypes = 'idempotency_key text, idempotency_item integer, request_hash text';

/** The values of these columns. */
export const toIdempotencyColumns = (key: IdempotencyKey | undefined) =>
  key && {
    idempotency_key: key.key,
    idempotency_item: key.item,
    request_hash: key.requestHash.toString('hex'),
  };

/** SQL for a statement that inserts the rows `input` as `u`: records the results of the rows with an idempotency key.
 *  The statement fails as a whole if a key exists, and waits for concurrent inserts of the same key. */
export const recordResults = `
  insert into idempotency_keys (api_key_id, key, item, request_hash, result)
  select u.created_by, input.idempotency_key, input.idempotency_item, decode(input.request_hash, 'hex'),
    -- Records that there is a password, but not its hash.
    to_jsonb(u) - 'search_text' || jsonb_build_object('password_hash', case when u.password_hash is not null then '' end)
  from (select * from input where idempotency_key is not null) input join u on u.short_code = input.short_code
  -- Ordered, so that concurrent statements do not deadlock.
  order by u.created_by, input.idempotency_key collate "C", input.idempotency_item`;

/** Whether a statement with `recordResults` failed because an idempotency key exists. */
export const isIdempotencyKeyConflict = (error: unknown): boolean =>
  error instanceof Error && 'constraint' in error && error.constraint === 'idempotency_keys_pkey';
