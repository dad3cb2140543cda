import type { Codes } from '../load/codes.ts';
import { hotBegin } from '../load/hot-urls.ts';
import type { LoadRequest } from '../load/load.ts';
import { createVisitors, detailSettings } from '../load/visitors.ts';
import type { Server, Stack } from '../stack.ts';

/** A subject that is measured once per round. */
export interface Subject {
  id: string;
  /** Its name in the tables. */
  name: string;
  server: Server;
  connections: number;
  /** The requests of a window with this number. */
  requests: (window: number) => LoadRequest[] | Promise<LoadRequest[]>;
  /** Whether the worker is stopped during a window, as if it ran on another machine, and counts afterwards. */
  withoutWorker?: boolean;
  /** Whether every answer must be a 404. */
  isNotFound?: boolean;
  /** The prefix of the codes whose clicks must be counted. */
  begin?: string;
}

/** The subject that answers the same requests with nothing but Node. */
export const baselineOf = (id: string): string => (id.startsWith('detail') ? 'bare-visited' : 'bare');

const clients = 64;
const get = (codes: string[]) => codes.map((code): LoadRequest => ({ path: `/${code}` }));

/** Requests of all kinds of visitors, which repeat after this number. */
function visit(codes: string[]): LoadRequest[] {
  const visitor = createVisitors('bench');
  return Array.from({ length: 20_000 }, (_, n) => ({
    path: `/${codes[n % codes.length]}`,
    headers: visitor(),
  }));
}

/** Starts the subjects, and lists them in the order of a round. */
export async function startSubjects(stack: Stack, codes: Codes): Promise<Subject[]> {
  const metrics = { METRICS_TOKEN: 'bench-metrics' };
  const linkmill = await stack.startWeb('src/web.js', metrics);
  const withoutMetrics = await stack.startWeb('src/web.js');
  const inDetail = await stack.startWeb('src/web.js', {
    CLICK_DETAIL: 'full',
    ...metrics,
    ...detailSettings,
  });
  const inNumber = await stack.startWeb('src/web.js', {
    CLICK_DETAIL: 'count',
    ...metrics,
    ...detailSettings,
  });
  const insertEach = await stack.startWeb('src/web.js', metrics, stack.insertEachBuild);
  const bare = await stack.startWeb('bench/baselines/bare.js');
  const koa = await stack.startWeb('bench/baselines/koa.js');
  const usual = await stack.startWeb('bench/baselines/express.js');
  const withVisits = await stack.startWeb('bench/baselines/express.js', { KEEPS_VISITS: 'true' });
  const withRedis = await stack.startWeb('bench/baselines/express-redis.js');

  const hot = get(codes.hot);
  const visited = visit(codes.hot);
  const redirect = { server: linkmill, connections: clients, withoutWorker: true };
  const create = () => [
    {
      method: 'POST' as const,
      path: '/api/v1/urls',
      headers: { 'Content-Type': 'application/json', 'x-api-key': stack.apiKey },
      body: JSON.stringify({ original_url: 'https://example.com/a/page/like/many?with=a&query=too' }),
    },
  ];
  return [
    { id: 'bare', name: 'bare `node:http`, from a Map', ...redirect, server: bare, requests: () => hot },
    {
      id: 'bare-visited',
      name: 'bare `node:http`, with the headers of visitors',
      ...redirect,
      server: bare,
      requests: () => visited,
    },
    { id: 'memory', name: 'from memory', ...redirect, requests: () => hot, begin: hotBegin },
    {
      id: 'with-worker',
      name: 'from memory, while a worker counts',
      server: linkmill,
      connections: clients,
      requests: () => hot,
      begin: hotBegin,
    },
    {
      id: 'redis',
      name: 'from Redis',
      ...redirect,
      requests: (window) => get(codes.inRedis(window)),
      begin: 'redis',
    },
    {
      id: 'viral',
      name: 'one viral short URL',
      ...redirect,
      requests: () => get(codes.viral),
      begin: 'viral',
    },
    {
      id: 'no-metrics',
      name: 'from memory, metrics off',
      ...redirect,
      server: withoutMetrics,
      requests: () => hot,
      begin: hotBegin,
    },
    {
      id: 'detail-full',
      name: 'from memory, visitors in full detail',
      ...redirect,
      server: inDetail,
      requests: () => visited,
      begin: hotBegin,
    },
    {
      id: 'detail-count',
      name: 'from memory, visitors counted alone',
      ...redirect,
      server: inNumber,
      requests: () => visited,
      begin: hotBegin,
    },
    {
      id: 'zipf',
      name: 'Zipf over 100,000 in Redis',
      ...redirect,
      requests: (window) => get(codes.byZipf(window)),
      begin: 'zipf',
    },
    {
      id: 'table',
      name: 'from the table',
      ...redirect,
      requests: async (window) => get(await codes.inTable(window)),
      begin: 'table',
    },
    {
      id: 'unknown',
      name: 'unknown, asked for again',
      ...redirect,
      requests: () => get(codes.unknown),
      isNotFound: true,
    },
    {
      id: 'scan',
      name: 'unknown, each a new one',
      ...redirect,
      requests: (window) => get(codes.neverAsked(window)),
      isNotFound: true,
    },
    { id: 'koa', name: 'empty Koa', ...redirect, server: koa, requests: () => hot, isNotFound: true },
    { id: 'usual', name: 'Express, one UPDATE per click', ...redirect, server: usual, requests: () => hot },
    {
      id: 'usual-visits',
      name: 'Express, one INSERT and one UPDATE per click',
      ...redirect,
      server: withVisits,
      requests: () => hot,
    },
    {
      id: 'usual-redis',
      name: 'Express, one HINCRBY per click',
      ...redirect,
      server: withRedis,
      requests: () => hot,
    },
    { id: 'create-64', name: '64 clients', server: linkmill, connections: clients, requests: create },
    {
      id: 'create-64-each',
      name: '64 clients, one INSERT per request',
      server: insertEach,
      connections: clients,
      requests: create,
    },
    { id: 'create-1', name: 'one client', server: linkmill, connections: 1, requests: create },
    {
      id: 'create-1-each',
      name: 'one client, one INSERT per request',
      server: insertEach,
      connections: 1,
      requests: create,
    },
  ];
}
