import type { Knex } from '../postgres/postgres.ts';
import { readSchemaState, type SchemaState } from './schema-state.ts';

/** This version cannot work with the tables of the database; the message says why and what to do. */
export class SchemaNotUsable extends Error {
  override readonly name = 'SchemaNotUsable';
}

/** For commands: throws SchemaNotUsable where this version cannot work with the tables of the database. `warn` gets what else an
 *  operator should know. A PostgreSQL that does not answer is left to the command. */
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
