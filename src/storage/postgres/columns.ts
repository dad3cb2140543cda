/** Columns of a table under their names in the code, such as `{ shortCode: 'short_code' }`. */
export type Columns = Readonly<Record<string, string>>;

/** The same for `returning`, for which knex accepts only texts. */
export const aliased = (columns: Columns): string[] =>
  Object.entries(columns).map(([name, column]) => `${column} as ${name}`);
