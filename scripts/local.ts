import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readArguments } from '../src/cli/command-line.ts';
import { seedDemo } from './demo/seed.ts';
import { ensureApiKey } from './local/api-key.ts';
import { endLeftOverApp, logFileOf, readProcfile, startApp } from './local/app.ts';
import { readEnvFile, writeEnvFile } from './local/env-file.ts';
import { claimFolder } from './local/instance-lock.ts';
import { ensureServer } from './local/private-server.ts';
import { checkNode, readSettings } from './local/settings.ts';
import { StopRequested, createStack } from './local/stack.ts';
import { describeStack } from './local/summary.ts';
import { waitUntilReady } from './local/wait-until-ready.ts';
import { checkPortFree } from './services/ports.ts';
import { endLeftOver as endLeftOverPostgres } from './services/postgres-data.ts';
import { startPostgres } from './services/postgres.ts';
import { endLeftOver as endLeftOverRedis, startRedis } from './services/redis.ts';
import { run } from './services/run-command.ts';

/*
 * npm run local: a whole Linkmill on this machine, from nothing but the checkout, until Ctrl-C. Everything that it keeps
 * is in .local/.
 */
const usage = `Usage: npm run local [-- --demo]
  Runs Linkmill on this machine until Ctrl-C. Settings are environment variables: PORT (3000), LINKMILL_LOCAL_DIR (.local),
  DATABASE_URL and REDIS_URL (private servers, unless set), and those in docs/configuration.md.
  --demo  with 200 example links and their clicks of a month, once
`;

const signInCommand = ['--enable-source-maps', 'dist/src/cli/sign-in.js'];
const root = fileURLToPath(new URL('..', import.meta.url));
const print = (line: string) => console.log(line);
const { demo: isDemo } = readArguments(
  usage,
  (args) => parseArgs({ args, options: { demo: { type: 'boolean', default: false } } }).values,
);
const stack = createStack(print);

try {
  await startEverything();
  await stack.untilStopped();
} catch (error) {
  if (!(error instanceof StopRequested)) {
    console.error(`\nlinkmill: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
await stack.close();
process.exit();

async function startEverything() {
  checkNode();
  const { port, baseUrl, folder, given } = readSettings(process.env, root);

  claimFolder(folder, baseUrl);
  await stack.step(stopLeftOvers(folder));
  await stack.step(checkPortFree(port));

  print('building');
  rmSync(path.join(root, 'dist'), { recursive: true, force: true });
  await runHere(path.join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json']);
  await runHere(path.join(root, 'node_modules/.bin/vite'), ['build', 'src/dashboard', '--logLevel', 'warn']);

  const servers = { folder, stack, print };
  const databaseUrl = await ensureServer(
    'PostgreSQL',
    given.DATABASE_URL,
    async (dataDir, port) => startPostgres({ dataDir, port, print }),
    { ...servers, name: 'postgres' },
  );
  const redisUrl = await ensureServer(
    'Redis',
    given.REDIS_URL,
    async (dataDir, port) => startRedis({ dataDir, port, appendonly: true, print }),
    { ...servers, name: 'redis' },
  );

  const envFile = path.join(folder, 'env');
  const stored = readEnvFile(envFile);
  const settings = {
    BASE_URL: baseUrl,
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    BULL_BOARD_USER: given.BULL_BOARD_USER ?? 'admin',
    BULL_BOARD_PASSWORD:
      given.BULL_BOARD_PASSWORD ?? stored.BULL_BOARD_PASSWORD ?? randomBytes(9).toString('hex'),
  };
  const env = {
    ...withoutStores(process.env, given.DATABASE_URL === undefined),
    ...settings,
    HOST: '127.0.0.1',
    PORT: String(port),
  };

  print('migrating');
  await runHere(process.execPath, ['--enable-source-maps', 'dist/src/cli/migrate.js'], env);
  const apiKey = await stack.step(ensureApiKey(stored.API_KEY, { cwd: root, env }));
  writeEnvFile(envFile, { ...settings, API_KEY: apiKey });

  for (const name of ['web', 'worker']) {
    print(`starting ${name}`);
    const command = readProcfile(path.join(root, 'Procfile'), name);
    await stack.start(
      name,
      startApp(name, command, { folder, cwd: root, env, print }),
      logFileOf(folder, name),
    );
  }
  await stack.step(waitUntilReady(`http://127.0.0.1:${port}/health/ready`));
  if (isDemo) await stack.step(addDemo({ baseUrl, apiKey, databaseUrl, folder }));
  const signInLink = await stack.step(run(process.execPath, signInCommand, { cwd: root, env }));
  print(describeStack({ ...settings, API_KEY: apiKey }, folder, signInLink.trim()));
}

async function addDemo(service: Parameters<typeof seedDemo>[0]) {
  print('creating example links and clicks');
  const begunAt = performance.now();
  const created = await seedDemo(service);
  const seconds = ((performance.now() - begunAt) / 1_000).toFixed(1);
  if (created === undefined) print('the example links exist already');
  else print(`created ${created.links} links with ${created.clicks} clicks in ${seconds} s`);
}

/** The environment without other names for the settings that `npm run local` sets, which the processes would reject
 *  beside them. With a private PostgreSQL also without the variables of libpq, which belong to another server. */
function withoutStores(env: NodeJS.ProcessEnv, hasOwnPostgres: boolean): NodeJS.ProcessEnv {
  const other =
    /^((DATABASE|REDIS)_(URL|HOST|PORT|NAME|USER|DB|TLS)|BULL_BOARD_(USER|PASSWORD)|BASE_URL|HOST|PORT)(_FILE)?$/;
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !other.test(name) && !(hasOwnPostgres && /^PG[A-Z]+$/.test(name))),
  );
}

async function stopLeftOvers(folder: string) {
  for (const name of ['worker', 'web']) await endLeftOverApp(name, folder, print);
  await endLeftOverRedis(path.join(folder, 'redis'), print);
  await endLeftOverPostgres(path.join(folder, 'postgres'), print);
}

async function runHere(command: string, args: string[], env = process.env) {
  await stack.step(run(command, args, { cwd: root, env }));
}
