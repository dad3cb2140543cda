import type { Knex } from 'knex';

/** What no short URL can have, whichever program writes it: URLs that are not safe to follow or too long, times and
 *  versions out of range. A trigger, because a `not valid` check would also refuse every later change of an
 *  old row, its deletion included. What passes here is read with the URL parser all the same. */
const unusable: Record<string, { column: string; when: string }> = {
  urls_original_url_usable: { column: 'original_url', when: isUnusableUrl('new.original_url') },
  urls_fallback_url_usable: { column: 'fallback_url', when: isUnusableUrl('new.fallback_url') },
  urls_created_at_usable: {
    column: 'created_at',
    when: `new.created_at < '0001-01-01 00:00:00+00' or new.created_at > '9999-12-31 23:59:59.999999+00'`,
  },
  urls_version_usable: { column: 'version', when: 'new.version not between 1 and 9007199254740991' },
};

/** URL parsers ignore control characters and spaces in front, and tabs and line breaks everywhere. */
function isUnusableUrl(column: string): string {
  const bare = `translate(ltrim(left(${column}, 256), e'\\x01\\x02\\x03\\x04\\x05\\x06\\x07\\x08\\x0b\\x0c\\x0e\\x0f\\x1b\\x1f \\t\\r\\n'), e'\\t\\r\\n', '')`;
  return `length(${column}) > 32768 or ${bare} !~* '^[a-z][a-z0-9+.-]*:'
    or ${bare} ~* '^(about|blob|data|file|filesystem|javascript|jar|vbscript|view-source):'`;
}

export async function up(db: Knex): Promise<void> {
  await db.raw(`
    create function refuse_unusable_url() returns trigger language plpgsql as $$
      begin
        raise check_violation using constraint = tg_argv[0], table = tg_table_name, column = tg_argv[1],
          message = format('%s of a short URL cannot be used by Linkmill', tg_argv[1]);
      end $$`);
  for (const [name, { column, when }] of Object.entries(unusable)) {
    const refuse = `execute function refuse_unusable_url('${name}', '${column}')`;
    await db.raw(
      `
      create trigger ${name}_insert before insert on urls for each row when (${when}) ${refuse};
      create trigger ${name}_update before update of ${column} on urls for each row
        when (new.${column} is distinct from old.${column} and (${when})) ${refuse}`.replaceAll('?', '\\?'),
    );
  }
}

export async function down(db: Knex): Promise<void> {
  for (const name of Object.keys(unusable))
    await db.raw(`drop trigger ${name}_insert on urls; drop trigger ${name}_update on urls`);
  await db.raw('drop function refuse_unusable_url');
}
