import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../log.ts';
import { repeatedWarningsOf } from '../../resilience/repeated-warnings.ts';
import { withDeadline } from '../../resilience/shutdown.ts';
import { createPostgresConnector } from '../../storage/postgres/connector.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import { SessionClient } from '../../storage/postgres/session.ts';
import { decodeChanges, type UrlChange, encodeChange } from './change.ts';

/** The channel for changed short URLs. Database triggers also publish to it when another program changes the table. */
const channel = 'linkmill_urls';
/** The payload for more changes than a notification can list. */
const manyChanges = '*';
/** Maximum payload in bytes; PostgreSQL allows 7,999. */
const maxBytes = 7_000;

/** Pings detect a half-open connection, which would receive nothing without failing. */
const pingEveryMs = 2_000;
/** Maximum duration of a ping. */
const pingTimeoutMs = 2_000;
/** How long stopping waits for a connection with a running query. */
const closeMs = 500;
/** Maximum pause between two attempts to connect. */
const maxPauseMs = 5_000;

/** Publishes changes over PostgreSQL's NOTIFY. */
export async function notifyOfChanges(db: Knex, changes: UrlChange[]): Promise<void> {
  const messages: string[] = [];
  for (const change of changes.map(encodeChange)) {
    const longer = messages.length > 0 ? `${messages.at(-1)} ${change}` : change;
    if (messages.length === 0 || Buffer.byteLength(longer) > maxBytes) messages.push(change);
    else messages[messages.length - 1] = longer;
  }
  for (const message of messages) await db.raw('select pg_notify(:channel, :message)', { channel, message });
}

export interface NotificationListener {
  /** A short URL has this version now. */
  onChange: (shortCode: string, version: number) => void;
  /** Many short URLs have changed; which ones is unknown. */
  onManyChanges: () => void;
  /** Notifications arrive from now on; earlier ones may have been missed. */
  onConnected: () => void;
  /** Notifications may be missed from now on. */
  onDisconnected: () => void;
}

/** Listens to changes on a connection of its own, which reconnects automatically. `url` must not lead through
 *  PgBouncer in transaction mode; that is detected and logged. Returns a function that stops listening. */
export function listenForChanges(deps: {
  url: string;
  name: string;
  listener: NotificationListener;
  log: Log;
}): () => Promise<void> {
  const { url, name, listener, log } = deps;
  const connect = createPostgresConnector(url);
  const warnings = repeatedWarningsOf(log);
  const stopping = new AbortController();
  const listening = keepListening();

  async function keepListening(): Promise<void> {
    let failures = 0;
    const onListening = () => {
      warnings.end('notifications', {}, 'resumed listening for external writes');
      failures = 0;
      listener.onConnected();
    };
    while (!stopping.signal.aborted) {
      try {
        await listen(onListening);
      } catch (error) {
        warnings.warn('notifications', { err: error }, 'failed to listen for external writes');
        failures += 1;
        await pause(Math.min(100 * 2 ** failures, maxPauseMs), stopping.signal);
      }
    }
  }

  async function open() {
    return await connect(async (config) => {
      const opened = new SessionClient({
        ...config,
        withoutOptions: true,
        application_name: `linkmill-${name}`,
        connectionTimeoutMillis: pingTimeoutMs,
        query_timeout: pingTimeoutMs,
        keepAlive: true,
      });
      // Errors without a running query; the next ping fails too.
      opened.on('error', (error) => log.debug({ err: error }, 'lost connection for notifications'));
      await opened.connect();
      return opened;
    });
  }

  /** Sends a notification from a session of its own: PgBouncer in transaction mode passes on those that a session sends to itself, and no others. */
  async function sendProbe(probe: string): Promise<void> {
    const client = await open();
    try {
      await client.query('select pg_notify($1, $2)', [channel, probe]);
    } finally {
      await withDeadline(client.end(), pingTimeoutMs, () => undefined);
    }
  }

  /** Connects and listens until stopped; rejects when the connection fails. */
  async function listen(onListening: () => void): Promise<void> {
    const closed = new AbortController();
    const client = await open();
    client.once('end', () => closed.abort());
    const stopped = AbortSignal.any([stopping.signal, closed.signal]);
    const probe = `probe ${randomUUID()}`;
    let isProbeReceived = false;
    let isProbeLate = false;
    client.on('notification', ({ payload = '' }) => {
      if (payload !== probe) return dispatch(payload);
      isProbeReceived = true;
      if (isProbeLate) listener.onConnected();
    });
    try {
      await client.query(`listen ${channel}`);
      onListening();
      // Without a second connection it stays unknown.
      const isProbeSent = await sendProbe(probe).then(
        () => true,
        () => false,
      );
      await pause(pingEveryMs, stopped);
      if (isProbeSent && !isProbeReceived && !stopped.aborted) {
        isProbeLate = true;
        listener.onDisconnected();
        log.warn('failed to receive notifications over this connection, set DATABASE_DIRECT_URL');
      }
      while (!stopping.signal.aborted) {
        await client.query('select 1');
        await pause(pingEveryMs, stopped);
      }
    } finally {
      listener.onDisconnected();
      await withDeadline(client.end(), pingTimeoutMs, () => undefined);
    }
  }

  function dispatch(payload: string): void {
    if (payload === manyChanges) {
      listener.onManyChanges();
      return;
    }
    for (const { shortCode, version } of decodeChanges(payload)) listener.onChange(shortCode, version);
  }

  return async () => {
    stopping.abort();
    await withDeadline(listening, closeMs, () => undefined);
  };
}

/** Resolves after `ms`, or when aborted. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
