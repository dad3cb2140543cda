import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../log.ts';
import { repeatedWarningsOf } from '../../resilience/repeated-warnings.ts';
import { withDeadline } from '../../resilience/shutdown.ts';
import { createPostgresConnector } from '../../storage/postgres/connector.ts';
import type { Knex } from '../../storage/postgres/postgres.ts';
import { SessionClient } from '../../storage/postgres/session.ts';
import { readChanges, type UrlChange, writeChange } from './change.ts';

/** The channel on which PostgreSQL tells of changed short URLs, separated by spaces; its triggers write to it when another
 *  program changes the table. */
const channel = 'linkmill_urls';
/** Stands for changes that are too many to be named. */
const everything = '*';
/** Bytes of one notification, which may have 7,999. */
const maxBytes = 7_000;

/** How often the connection is asked whether it is still there: a half-open one hears nothing and looks well. */
const pingEveryMs = 2_000;
/** How long it may take to answer. */
const answerMs = 2_000;
/** How long stopping waits for a connection that has a query in hand. */
const closeMs = 500;
/** Longest pause between two attempts to connect. */
const longestPauseMs = 5_000;

/** Tells everybody who hears notifications of changes. */
export async function notifyOfChanges(db: Knex, changes: UrlChange[]): Promise<void> {
  const messages: string[] = [];
  for (const change of changes.map(writeChange)) {
    const longer = messages.length > 0 ? `${messages.at(-1)} ${change}` : change;
    if (messages.length === 0 || Buffer.byteLength(longer) > maxBytes) messages.push(change);
    else messages[messages.length - 1] = longer;
  }
  for (const message of messages) await db.raw('select pg_notify(:channel, :message)', { channel, message });
}

export interface NotificationListener {
  /** A short URL has this version now. */
  onChange: (shortCode: string, version: number) => void;
  /** Many have changed, and nobody says which. */
  onManyChanges: () => void;
  /** Notifications are heard from now on; before, some may have been missed. */
  onConnected: () => void;
}

/** Hears PostgreSQL's notifications of changed short URLs on a connection of its own, which comes back by itself. `url` must
 *  not go through PgBouncer in transaction mode; that is noticed and logged. Returns what stops it. */
export function listenForChanges(deps: {
  url: string;
  name: string;
  listener: NotificationListener;
  log: Log;
}): () => Promise<void> {
  const { url, name, listener, log } = deps;
  const connect = createPostgresConnector(url);
  const warnings = repeatedWarningsOf(log);
  const ending = new AbortController();
  const hearing = keepHearing();

  async function keepHearing(): Promise<void> {
    let failures = 0;
    const onHeard = () => {
      warnings.end('notifications', {}, 'connected to the notifications of external writes again');
      failures = 0;
      listener.onConnected();
    };
    while (!ending.signal.aborted) {
      try {
        await hear(onHeard);
      } catch (error) {
        warnings.warn(
          'notifications',
          { err: error },
          'failed to listen to the notifications of external writes',
        );
        failures += 1;
        await pause(Math.min(100 * 2 ** failures, longestPauseMs), ending.signal);
      }
    }
  }

  /** Connects and hears until it is stopped; rejects when the connection fails. */
  async function hear(onHeard: () => void): Promise<void> {
    const gone = new AbortController();
    const client = await connect(async (config) => {
      const opened = new SessionClient({
        ...config,
        withoutOptions: true,
        application_name: `linkmill-${name}`,
        connectionTimeoutMillis: answerMs,
        query_timeout: answerMs,
        keepAlive: true,
      });
      // What fails without a running query; the next ping fails too.
      opened.on('error', (error) => log.debug({ err: error }, 'the listening connection failed'));
      await opened.connect();
      return opened;
    });
    client.once('end', () => gone.abort());
    const over = AbortSignal.any([ending.signal, gone.signal]);
    const greeting = `hello ${randomUUID()}`;
    let isGreeted = false;
    client.on('notification', ({ payload = '' }) => {
      if (payload === greeting) isGreeted = true;
      else pass(payload);
    });
    try {
      await client.query(`listen ${channel}`);
      onHeard();
      await client.query('select pg_notify($1, $2)', [channel, greeting]);
      await pause(pingEveryMs, over);
      if (!isGreeted && !over.aborted)
        log.warn('PostgreSQL sends no notifications here: set DATABASE_DIRECT_URL');
      while (!ending.signal.aborted) {
        await client.query('select 1');
        await pause(pingEveryMs, over);
      }
    } finally {
      await withDeadline(client.end(), answerMs, () => undefined);
    }
  }

  function pass(payload: string): void {
    if (payload === everything) {
      listener.onManyChanges();
      return;
    }
    for (const { shortCode, version } of readChanges(payload)) listener.onChange(shortCode, version);
  }

  return async () => {
    ending.abort();
    await withDeadline(hearing, closeMs, () => undefined);
  };
}

/** Resolves after `ms`, or as soon as it is over. */
async function pause(ms: number, over: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal: over }).catch(() => undefined);
}
