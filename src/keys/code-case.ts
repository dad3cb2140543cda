import type { Knex } from '../storage/postgres/postgres.ts';
import { readSchemaState, type SchemaState } from '../storage/schema/schema-state.ts';
import { ignoreCodeCase } from './short-code.ts';

/** The check constraint of a database that stores all short codes in lower case. */
export const lowerCaseConstraint = 'urls_short_code_lower_case';

/** Whether `npm run fold-codes` has prepared the database, which then rejects upper case letters. */
async function hasLowerCaseCodes(db: Knex): Promise<boolean> {
  const { rows } = await db.raw<{ rows: unknown[] }>(
    `select from pg_constraint where conrelid = to_regclass('urls') and conname = :name and convalidated`,
    { name: lowerCaseConstraint },
  );
  return rows.length > 0;
}

/** Reads the schema state together with how the database stores short codes, and sets whether this process ignores the
 *  case of codes. The setting takes effect only once the database is prepared, so existing short URLs keep redirecting
 *  until then. */
export async function readStateWithCodeCase(db: Knex, isEnabled: boolean): Promise<SchemaState> {
  const state = await readSchemaState(db);
  if (state.kind === 'outdated' || state.kind === 'incompatible') return state;
  const isPrepared = await hasLowerCaseCodes(db);
  ignoreCodeCase(isEnabled && isPrepared);
  if (isEnabled === isPrepared) return state;
  const reason = isEnabled
    ? 'CODES_IGNORE_CASE is set, but this database does not store all short codes in lower case yet: run "npm run fold-codes".'
    : 'This database stores all short codes in lower case: set CODES_IGNORE_CASE=true, or run "npm run fold-codes -- --undo".';
  return { kind: 'code_case', reason };
}
