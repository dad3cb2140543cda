import { parseArgs } from 'node:util';
import { commands, usage } from './api-key-commands.ts';
import { optionTypes } from './api-key-options.ts';
import { type ApiKeys, createApiKeys } from './api-keys/api-keys.ts';
import { databaseSettings } from './config/database.ts';
import { loadConfigOrExit } from './config/load.ts';
import { openPostgres } from './postgres.ts';

/** `npm run api-key`: makes, lists, revokes, rotates and checks API keys. The first key can only be made here, never over HTTP. */
const queryTimeoutMs = 10_000;

const run = readArguments();
const config = loadConfigOrExit(databaseSettings);
const db = openPostgres({ url: config.DATABASE_URL, poolMax: 1, queryTimeoutMs, name: 'api-key' });
try {
  process.exitCode = await run(createApiKeys(db));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await db.destroy();
}

/** What the command line asks for; ends the process with 2 where that is not clear. */
function readArguments(): (apiKeys: ApiKeys) => Promise<number> {
  try {
    const { positionals, values } = parseArgs({ allowPositionals: true, options: optionTypes });
    const [name = '', ...rest] = positionals;
    if (!isCommand(name) || rest.length > 0) throw new Error('Which command?');
    return commands[name](values);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return process.exit(2);
  }
}

function isCommand(name: string): name is keyof typeof commands {
  return Object.hasOwn(commands, name);
}
