import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { createApiKeys } from './api-keys/api-keys.ts';
import { databaseSettings, loadConfigOrExit } from './config.ts';
import { openPostgres } from './postgres.ts';

/** `npm run api-key`: makes, lists, revokes and checks API keys. The first key can only be made here, never over HTTP. */
const usage = `Usage: npm run api-key -- COMMAND
  create --name NAME [--json]   make a key and print it, this once
  list                          every key with its id
  revoke --id ID                end a key at once
  check                         read a key from standard input; exit code 0 when it is valid, 1 when not
`;
const queryTimeoutMs = 10_000;

const { command, options } = readArguments();
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

async function run(apiKeys: ReturnType<typeof createApiKeys>): Promise<number> {
  const print = (line: string) => process.stdout.write(`${line}\n`);
  if (command === 'create' && options.name) {
    const made = await apiKeys.create(options.name);
    print(options.json ? JSON.stringify(made) : made.key);
    if (!options.json)
      process.stderr.write(`Key ${made.id} (${made.name}). It is shown this once: keep it.\n`);
    return 0;
  }
  if (command === 'list') {
    for (const key of await apiKeys.list()) {
      const state = key.revokedAt ? `revoked ${key.revokedAt.toISOString()}` : 'valid';
      print(`${key.id}\t${key.name}\tlm_${key.publicPart}_…\t${key.createdAt.toISOString()}\t${state}`);
    }
    return 0;
  }
  if (command === 'revoke' && /^\d{1,15}$/.test(options.id ?? '')) {
    await apiKeys.revoke(Number(options.id));
    print(`Key ${options.id} is revoked.`);
    return 0;
  }
  if (command === 'check') {
    return (await apiKeys.find((await text(process.stdin)).trim())) ? 0 : 1;
  }
  process.stderr.write(usage);
  return 2;
}

function readArguments() {
  try {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: { name: { type: 'string' }, id: { type: 'string' }, json: { type: 'boolean' } },
    });
    return { command: positionals[0], options: values };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return process.exit(2);
  }
}
