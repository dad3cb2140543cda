import type { Knex } from '../storage/postgres/postgres.ts';
import { readSchemaState, type SchemaState } from '../storage/schema/schema-state.ts';
import { ignoreCodeCase } from './short-code.ts';

/** The constraint of a database whose short codes are all in lower case. */
export const lowerCaseConstraint = 'urls_short_code_lower_case';

/** Whether `npm run fold-codes` has run on a database, which refuses upper case letters since then. */
async function hasLowerCaseCodes(db: Knex): Promise<boolean> {
  const { rows } = await db.raw<{ rows: unknown[] }>(
    `select from pg_constraint where conrelid = to_regclass('urls') and conname = :name and convalidated`,
    { name: lowerCaseConstraint },
  );
  return rows.length > 0;
}

/** The state of the schema, with how the database stores short codes. Sets whether this process ignores the case of codes: only once
 *  it is both wanted and prepared, so that until then existing short URLs redirect as before. */
export async function readStateWithCodeCase(db: Knex, isWanted: boolean): Promise<SchemaState> {
  const state = await readSchemaState(db);
  if (state.kind === 'outdated' || state.kind === 'incompatible') return state;
  const isPrepared = await hasLowerCaseCodes(db);
  ignoreCodeCase(isWanted && isPrepared);
  if (isWanted === isPrepared) return state;
  const reason = isWanted
    ? 'CODES_IGNORE_CASE is set, and the short codes of this database are not in lower case yet: run "npm run fold-codes".'
    : 'This database stores short codes in lower case: set CODES_IGNORE_CASE=true, or run "npm run fold-codes -- --undo".';
  return { kind: 'code_case', reason };
}
