import { text } from 'node:stream/consumers';
import type { z } from 'zod';
import type { StoredApiKey } from '../api-keys/api-key.ts';
import type { ApiKeys } from '../api-keys/api-keys.ts';
import { scopes } from '../api-keys/scopes.ts';
import { toJson, formatTable } from './api-key-list.ts';
import { commandOptions } from './api-key-options.ts';

const dayMs = 24 * 3_600_000;

/** The usage of `npm run api-key`. */
export const usage = `Usage: npm run api-key -- COMMAND
  create --name NAME     create a key and print it once
    [--scopes A,B]         its scopes: ${scopes.join(', ')}; default: all
    [--own-urls-only]      it has access to its own short URLs only; not with admin and jobs:run
    [--expires-in-days N]  it expires after N days
    [--json]               print its id, name and scopes too
  list                   print every key: ID, name, first characters, scopes, creation, last use, state
    [--json]               as a JSON array
  revoke --id ID         revoke a key, within 2 s
  rotate --id ID         create a new secret for a key and print it once; scopes and short URLs are kept
    [--grace-hours H]      hours for which the old secret stays valid; default 24; 0 ends it within 2 s
    [--json]               print its id, name and scopes too
  check                  read a key from standard input; exit code 0 when it is valid, 1 when not
`;

/** Runs a command with validated options; resolves to its exit code. */
type Run<Options> = (apiKeys: ApiKeys, options: Options) => Promise<number>;

/** The commands. Each validates its options, throws for invalid ones, and returns a function that runs it. */
export const commands = {
  create: command(
    commandOptions.create,
    async (apiKeys, { name, scopes, 'own-urls-only': ownUrlsOnly, 'expires-in-days': days, json }) => {
      const expiresAt = days === undefined ? null : new Date(Date.now() + days * dayMs);
      printKey(await apiKeys.create(name, { scopes, ownUrlsOnly, expiresAt }), json);
      return 0;
    },
  ),

  list: command(commandOptions.list, async (apiKeys, { json }) => {
    const keys = await apiKeys.list();
    print(json ? JSON.stringify(keys.map(toJson)) : formatTable(keys));
    return 0;
  }),

  revoke: command(commandOptions.revoke, async (apiKeys, { id }) => {
    await apiKeys.revoke(id);
    print(`Key ${id} is revoked.`);
    return 0;
  }),

  rotate: command(commandOptions.rotate, async (apiKeys, { id, 'grace-hours': graceHours, json }) => {
    printKey(await apiKeys.rotate(id, graceHours * 3_600), json);
    if (!json)
      note(
        graceHours > 0
          ? `The old secret stays valid for ${graceHours} hours.`
          : 'The old secret becomes invalid within 2 s.',
      );
    return 0;
  }),

  check: command(commandOptions.check, async (apiKeys) =>
    (await apiKeys.find((await text(process.stdin)).trim())) ? 0 : 1,
  ),
};

function command<Schema extends z.ZodType>(schema: Schema, run: Run<z.output<Schema>>) {
  return (values: object) => {
    const options = parseOptions(schema, values);
    return async (apiKeys: ApiKeys): Promise<number> => await run(apiKeys, options);
  };
}

function parseOptions<Schema extends z.ZodType>(schema: Schema, values: object): z.output<Schema> {
  const { success, data, error } = schema.safeParse(values);
  if (success) return data;
  const problems = error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => `--${key} is not an option of this command`)
      : [`--${String(issue.path[0])} ${issue.message}`],
  );
  throw new Error(problems.join('\n'));
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints to standard error, since scripts read standard output. */
function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

function printKey({ id, name, scopes, key }: StoredApiKey & { key: string }, asJson: boolean): void {
  print(asJson ? JSON.stringify({ id, name, scopes, key }) : key);
  if (!asJson) note(`Key ${id} (${name}; ${scopes.join(',')}). Store it now: it cannot be shown again.`);
}
