import { parseArgs } from 'node:util';
import { isAllowed, type StoredApiKey } from '../api-keys/api-key.ts';
import { createApiKeys } from '../api-keys/api-keys.ts';
import { loadConfigOrExit } from '../config/load.ts';
import { signInSettings } from '../config/web.ts';
import { createSessionStore } from '../sessions/session-store.ts';
import { signInLinkMinutes } from '../sessions/session.ts';
import { createSignInLink } from '../sessions/sign-in-link.ts';
import { openPostgres } from '../storage/postgres/postgres.ts';
import { requireSchema } from '../storage/schema/require-schema.ts';
import { readArguments } from './command-line.ts';

/** `npm run sign-in`: prints a link that signs a browser in. Exit code 0 on success, else 1. */
const queryTimeoutMs = 10_000;

const usage = `Usage: npm run sign-in [-- --key NAME]
  Prints a link that signs a browser in to the dashboard, once and within ${signInLinkMinutes} minutes. BASE_URL is its address.
  --key NAME  with the permissions of this API key; default: the oldest valid one with the scope admin, or a new one
`;

const note = (line: string) => void process.stderr.write(`${line}\n`);

const { key: name } = readArguments(usage, readOptions);
const config = loadConfigOrExit(signInSettings);
const db = openPostgres({ url: config.DATABASE_URL, poolMax: 1, queryTimeoutMs, name: 'sign-in' });
try {
  await requireSchema(db, note);
  const { id } = await chooseKey();
  const link = await createSignInLink({ store: createSessionStore(db), baseUrl: config.BASE_URL }, id);
  process.stdout.write(`${link}\n`);
} catch (error) {
  note(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
} finally {
  await db.destroy();
}

/** The API key with the name, or the default. Creates one for the first sign-in to a new service. */
async function chooseKey(): Promise<StoredApiKey> {
  const apiKeys = createApiKeys(db);
  // People sign in at their provider, and choose their names themselves.
  const valid = (await apiKeys.list()).filter((key) => isValid(key) && key.person === null);
  if (name !== undefined) return onlyKey(valid.filter((key) => key.name === name));
  const admin = valid.find((key) => isAllowed(key, 'admin'));
  if (admin) return admin;
  const created = await apiKeys.create('admin');
  note(`Created the API key "admin" (ID ${created.id}), since no valid one has the scope admin.`);
  return created;
}

function onlyKey(keys: StoredApiKey[]): StoredApiKey {
  const [key, ...others] = keys;
  if (key === undefined) throw new Error(`No valid API key has the name "${name}".`);
  if (others.length > 0) throw new Error(`${keys.length} valid API keys have the name "${name}".`);
  return key;
}

function isValid({ revokedAt, expiresAt }: StoredApiKey): boolean {
  return revokedAt === null && (expiresAt === null || expiresAt > new Date());
}

function readOptions(args: string[]): { key?: string | undefined } {
  return parseArgs({ args, options: { key: { type: 'string' } } }).values;
}
