/** What tells a request that comes again from another one; one API key's are not those of others. */
export interface IdempotencyKey {
  /** As the client chose it. */
  key: string;
  /** Of all that the request asks for. */
  requestHash: Buffer;
  /** Which of the short URLs that the request asks for. */
  item: number;
}

/** The key came with another request before. */
export class IdempotencyKeyReused extends Error {
  override readonly name = 'IdempotencyKeyReused';
}

/** The columns that an idempotency key takes in a row to be inserted; they are none of the table's. */
export const keyColumns = 'idempotency_key, idempotency_item, request_hash';

/** The same with their types. */
export const keyTypes = 'idempotency_key text, idempotency_item integer, request_hash text';

/** What stands in them. */
export const toKeyColumns = (given: IdempotencyKey | undefined) =>
  given && {
    idempotency_key: given.key,
    idempotency_item: given.item,
    request_hash: given.requestHash.toString('hex'),
  };

/** For the statement that inserts `wish` as `u`: notes what came of those wishes that have a key. It fails as a whole when
 *  one of the keys is there, once a statement that is inserting it at this moment has ended. */
export const noteMade = `
  insert into idempotency_keys (api_key_id, key, item, request_hash, made)
  select u.created_by, wish.idempotency_key, wish.idempotency_item, decode(wish.request_hash, 'hex'),
    -- Of a password it is enough that there is one.
    to_jsonb(u) - 'search_text' || jsonb_build_object('password_hash', case when u.password_hash is not null then '' end)
  from (select * from wish where idempotency_key is not null) wish join u on u.short_code = wish.short_code
  -- In one order, so that two that insert the same keys do not deadlock.
  order by u.created_by, wish.idempotency_key collate "C", wish.idempotency_item`;

/** Whether the statement that has `noteMade` failed because a key is there. */
export const isKeyThere = (error: unknown): boolean =>
  error instanceof Error && 'constraint' in error && error.constraint === 'idempotency_keys_pkey';
