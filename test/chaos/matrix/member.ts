import { findFreePort, isPortFree } from '../../../scripts/services/ports.ts';
import {
  launch,
  placeWeb,
  readyWeb,
  readyWorker,
  type Settings,
  type TestProcess,
} from '../../support/processes/launch.ts';
import { type Proxy, startProxy } from '../../support/proxy/proxy.ts';
import { waitUntil } from '../../support/wait-until.ts';

type Store = 'redis' | 'postgres';

export type Member = Awaited<ReturnType<typeof startMember>>;

/** Starts a process of the stack, with its own proxy for each store. Port and proxies stay the same across restarts.
 *  A process that exits unexpectedly is restarted, as a supervisor would, and reported to `onUnexpectedEnd`. */
export async function startMember(options: {
  name: string;
  kind: 'web' | 'worker';
  commandLine: string[];
  stores: Record<Store, string>;
  settings: Settings;
  onUnexpectedEnd: (line: string) => void;
}) {
  const { name, kind, commandLine, stores, onUnexpectedEnd } = options;
  const proxies = {
    redis: await startProxy(Number(new URL(stores.redis).port)),
    postgres: await startProxy(Number(new URL(stores.postgres).port)),
  };
  const placed = await placeWeb({
    PORT: String(await findFreePort()),
    SHUTDOWN_DRAIN_MS: '1000',
    REDIS_URL: through(proxies.redis, stores.redis),
    DATABASE_URL: through(proxies.postgres, stores.postgres),
    ...options.settings,
  });
  let running!: TestProcess;
  let endIsExpected = false;
  let earlierOutput = '';

  async function start(): Promise<void> {
    if (kind === 'web')
      await waitUntil('its port is free', async () => await isPortFree(Number(placed['PORT'])));
    endIsExpected = false;
    if (running !== undefined) earlierOutput = `${earlierOutput}${running.output()}`.slice(-20_000);
    const started = launch(commandLine, placed);
    running = started;
    void started.ended.then(async (end) => {
      if (endIsExpected) return;
      onUnexpectedEnd(`${name} exited unexpectedly (${end}) and was restarted`);
      await start().catch((error: Error) => onUnexpectedEnd(`${name} failed to restart: ${error.message}`));
    });
    await (kind === 'web' ? readyWeb(started, placed) : readyWorker(started));
  }

  const kill = async () => {
    endIsExpected = true;
    running.signal('SIGKILL');
    await running.ended;
  };
  const closeProxies = async () =>
    void (await Promise.all([proxies.redis.close(), proxies.postgres.close()]));

  try {
    await start();
  } catch (error) {
    await kill();
    await closeProxies();
    throw error;
  }
  return {
    name,
    kind,
    proxies,
    baseUrl: placed.BASE_URL,
    start,
    signal: (signal: NodeJS.Signals) => running.signal(signal),

    /** Kills the process and resolves when it has ended. */
    kill,

    /** Sends SIGTERM; resolves to the exit code or signal, and the duration. */
    async terminate(): Promise<{ end: number | NodeJS.Signals; ms: number }> {
      endIsExpected = true;
      const startedAt = performance.now();
      const end = await running.stop();
      return { end, ms: performance.now() - startedAt };
    },

    /** Last lines of output, across restarts. */
    tail: (lines: number) =>
      `${earlierOutput}${running.output()}`.trimEnd().split('\n').slice(-lines).join('\n'),

    closeProxies,
  };
}

function through(proxy: Proxy, url: string): string {
  const proxied = new URL(url);
  proxied.port = String(proxy.port);
  return proxied.href;
}
