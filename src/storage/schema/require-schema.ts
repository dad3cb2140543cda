import type { Knex } from '../postgres/postgres.ts';
import { readSchemaState, type SchemaState } from './schema-state.ts';

/** This version cannot work with the tables of the database; the message has the cause and the remedy. */
export class SchemaNotUsable extends Error {
  override readonly name = 'SchemaNotUsable';
}

/** For commands: throws SchemaNotUsable when this version cannot work with the tables of the database, and passes warnings to `warn`. Does
 *  nothing while PostgreSQL is unavailable: the command itself reports that. */
export async function requireSchema(
  db: Knex,
  warn: (line: string) => void,
  read: (db: Knex) => Promise<SchemaState> = readSchemaState,
): Promise<void> {
  const state = await read(db).catch((): SchemaState => ({ kind: 'current' }));
  if (state.kind === 'outdated' || state.kind === 'incompatible' || state.kind === 'code_case')
    throw new SchemaNotUsable(state.reason);
  const warning = state.kind === 'unknown' ? state.reason : state.warning;
  if (warning !== undefined) warn(warning);
}
