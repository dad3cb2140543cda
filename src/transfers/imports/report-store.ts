import type { Knex } from '../../storage/postgres/postgres.ts';
import type { RowProblem } from '../rows/row-schema.ts';

declare module 'knex/types/tables.js' {
  interface Tables {
    import_errors: RowError & { id: number; import_id: number };
    import_warnings: StoredWarning & { id: number; import_id: number };
  }
}

/** Most errors, and most warnings, that are stored per import. */
export const maxErrors = 10_000;

/** An error of a row that was not imported. */
export interface RowError extends Required<RowProblem> {
  line: number;
  row: string;
}

/** A value of an imported row that was dropped or shortened. */
export interface StoredWarning {
  line: number;
  field: string;
  code: string;
  reason: string;
}

/** The error reports of imports: rows that were not imported, and values that were dropped or shortened. */
export function createReportStore(db: Knex) {
  return {
    /** Up to `limit` of an import's errors after this one, in the order of their rows. */
    findErrors: async (
      importId: number,
      after: number,
      limit: number,
    ): Promise<(RowError & { id: number })[]> =>
      await db('import_errors')
        .select('id', 'line', 'field', 'reason', 'row', 'code')
        .where({ import_id: importId })
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit),

    /** Up to `limit` of an import's warnings after this one, in the order of their rows. */
    findWarnings: async (
      importId: number,
      after: number,
      limit: number,
    ): Promise<(StoredWarning & { id: number })[]> =>
      await db('import_warnings')
        .select('id', 'line', 'field', 'code', 'reason')
        .where({ import_id: importId })
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit),
  };
}

/** Adds errors and warnings of rows to the report of an import, up to `maxErrors` of each. */
export async function addToReport(
  trx: Knex,
  importId: number,
  { errors, warnings }: { errors: RowError[]; warnings: StoredWarning[] },
): Promise<void> {
  if (errors.length > 0)
    await trx.raw(insertErrorsSql, { importId, errors: JSON.stringify(errors), maxErrors });
  if (warnings.length > 0)
    await trx.raw(insertWarningsSql, { importId, warnings: JSON.stringify(warnings), maxErrors });
}

const insertErrorsSql = `
  insert into import_errors (import_id, line, field, reason, row, code)
  select :importId, line, field, reason, row, code
  from rows from (json_to_recordset(cast(:errors as json)) as (line bigint, field text, reason text, row text, code text))
    with ordinality as error (line, field, reason, row, code, place)
  order by place
  limit greatest(0, :maxErrors - (select count(*) from import_errors where import_id = :importId))`;

const insertWarningsSql = `
  insert into import_warnings (import_id, line, field, code, reason)
  select :importId, line, field, code, reason
  from rows from (json_to_recordset(cast(:warnings as json)) as (line bigint, field text, code text, reason text))
    with ordinality as warning (line, field, code, reason, place)
  order by place
  limit greatest(0, :maxErrors - (select count(*) from import_warnings where import_id = :importId))`;
