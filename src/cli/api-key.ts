import { parseArgs } from 'node:util';
import { type ApiKeys, createApiKeys } from '../api-keys/api-keys.ts';
import { databaseSettings } from '../config/database.ts';
import { loadConfigOrExit } from '../config/load.ts';
import { openPostgres } from '../storage/postgres/postgres.ts';
import { requireSchema } from '../storage/schema/require-schema.ts';
import { commands, usage } from './api-key-commands.ts';
import { optionTypes } from './api-key-options.ts';
import { readArguments } from './command-line.ts';

/** `npm run api-key`: creates, lists, revokes, rotates and checks API keys. Only this command can create the first key. */
const queryTimeoutMs = 10_000;

const run = readArguments(usage, readCommand);
const config = loadConfigOrExit(databaseSettings);
const db = openPostgres({ url: config.DATABASE_URL, poolMax: 1, queryTimeoutMs, name: 'api-key' });
try {
  await requireSchema(db, (line) => void process.stderr.write(`${line}\n`));
  process.exitCode = await run(createApiKeys(db));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await db.destroy();
}

/** Parses the arguments of a command. */
function readCommand(args: string[]): (apiKeys: ApiKeys) => Promise<number> {
  const { positionals, values } = parseArgs({ args, allowPositionals: true, options: optionTypes });
  const [name = '', ...rest] = positionals;
  if (name === '') throw new Error('No command given.');
  if (!isCommand(name)) throw new Error(`Unknown command: ${name}`);
  if (rest.length > 0) throw new Error(`Unknown argument: ${rest.join(' ')}`);
  return commands[name](values);
}

function isCommand(name: string): name is keyof typeof commands {
  return Object.hasOwn(commands, name);
}
