import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { readInChunks } from './read-limit.ts';

/** How often connections are looked at. */
const checkMs = 1_000;
/** How long a client may read nothing of its answer. */
const stalledMs = 60_000;
/** How long a connection beyond the limit may take to send its request. */
const surplusMs = 2_000;
/** Waiting requests of all connections beyond which new connections are read in small chunks: about what Node reads at once. */
const manyWaiting = 2_048;
/** The share of the limit that is closed at once to make room: looking for idle connections costs more than closing them. */
const shareClosed = 0.05;

/** One connection, from its first byte to its end. */
export interface Connection {
  readonly socket: Socket;
  /** The request that arrived last, and its response. */
  request: IncomingMessage | undefined;
  response: ServerResponse | undefined;
  /** Requests that wait until those before them are answered. */
  waiting: number;
  /** The check, by number, after which it was last used. */
  usedAt: number;
  /** Accepted beyond the limit, for one request. */
  readonly isSurplus: boolean;
  /** Whether the last check found bytes that the client had not read. */
  isUnread: boolean;
}

/** What happened to the connections of a server. */
export interface ConnectionCounts {
  open: number;
  /** Closed without an answer because the limit was reached. */
  refused: number;
  /** Closed while idle, to make room for others. */
  closedIdle: number;
  /** Requests that wait for those before them on their connections. */
  waiting: number;
  /** Connections closed because too many requests waited. */
  cut: number;
}

export type Connections = ReturnType<typeof watchConnections>;

export const createConnectionCounts = (): ConnectionCounts => ({
  open: 0,
  refused: 0,
  closedIdle: 0,
  waiting: 0,
  cut: 0,
});

export interface ConnectionLimits {
  /** Connections that are served at once. */
  max: number;
  /** Connections beyond them that are accepted for one request each, so that `/health` stays answerable. */
  surplus: number;
}

/** Keeps the connections of a server within limits: at the limit those that were idle for longest make room, and new ones
 *  are refused where none is idle. A client that stops reading an answer is disconnected after a minute. `onCheck` is
 *  called once a second with whether the limit was met since the last call. */
export function watchConnections(
  server: Server,
  options: { limits: ConnectionLimits; counts: ConnectionCounts; onCheck: (isLimitMet: boolean) => void },
) {
  const { limits, counts, onCheck } = options;
  const { max, surplus } = limits;
  const connections = new Map<Socket, Connection>();
  let checks = 0;
  /** The check after which no idle connection was found. */
  let fullAt = -1;
  let isLimitMet = false;
  /** Connections beyond the limit, those that came first ahead. */
  const extra = new Set<Connection>();
  server.on('connection', add);
  const timer = setInterval(check, checkMs).unref();
  server.once('close', () => clearInterval(timer));

  function add(socket: Socket): void {
    const isSurplus = connections.size - extra.size >= max && !makeRoom();
    const connection: Connection = {
      socket,
      request: undefined,
      response: undefined,
      waiting: 0,
      usedAt: checks,
      isSurplus,
      isUnread: false,
    };
    if (isSurplus && !makeRoomBeyond()) {
      noteRefused();
      socket.destroy();
      return;
    }
    if (isSurplus) extra.add(connection);
    connections.set(socket, connection);
    if (counts.waiting > manyWaiting) readInChunks(socket);
    counts.open = connections.size;
    if (isSurplus) socket.setTimeout(surplusMs);
    socket.once('close', () => {
      connections.delete(socket);
      extra.delete(connection);
      counts.open = connections.size;
      addWaiting(connection, -connection.waiting);
    });
  }

  /** Whether one more is accepted beyond the limit: the first that has sent no request makes room for it. */
  function makeRoomBeyond(): boolean {
    if (extra.size < surplus) return true;
    for (const connection of extra) {
      if (connection.request !== undefined) continue;
      extra.delete(connection);
      connections.delete(connection.socket);
      connection.socket.destroy();
      noteRefused();
      return true;
    }
    return false;
  }

  function addWaiting(connection: Connection, count: number): void {
    connection.waiting += count;
    counts.waiting += count;
  }

  function noteRefused(): void {
    isLimitMet = true;
    counts.refused += 1;
  }

  /** Closes those that were idle for longest. Returns whether there were any. */
  function makeRoom(): boolean {
    isLimitMet = true;
    if (fullAt === checks) return false;
    const idle = [...connections.values()]
      .filter((connection) => isIdle(connection) && !connection.isSurplus && isOld(connection))
      .toSorted((a, b) => a.usedAt - b.usedAt)
      .slice(0, Math.max(1, Math.floor(max * shareClosed)));
    for (const { socket } of idle) {
      connections.delete(socket);
      socket.destroy();
    }
    counts.closedIdle += idle.length;
    if (idle.length === 0) fullAt = checks;
    return idle.length > 0;
  }

  /** What was used since the last check but one may be about to be used again; what was never used has less to lose. */
  function isOld({ request, usedAt }: Connection): boolean {
    return usedAt < (request === undefined ? checks : checks - 1);
  }

  function check(): void {
    checks += 1;
    for (const connection of connections.values()) {
      const isUnread = connection.socket.writableLength > 0;
      // Node closes it then, and ends this limit of time with the answer.
      if (isUnread && connection.isUnread && connection.socket.timeout !== stalledMs)
        connection.socket.setTimeout(stalledMs);
      connection.isUnread = isUnread;
    }
    onCheck(isLimitMet);
    isLimitMet = false;
  }

  return {
    counts: counts as Readonly<ConnectionCounts>,
    noteRefused,
    addWaiting,
    noteCut: (): void => void (counts.cut += 1),
    all: (): Iterable<Connection> => connections.values(),
    get: (socket: Socket): Connection | undefined => connections.get(socket),

    /** Notes a request of a connection; undefined when that is closed. */
    use(request: IncomingMessage, response: ServerResponse): Connection | undefined {
      const connection = connections.get(request.socket);
      if (connection === undefined) return undefined;
      connection.request = request;
      connection.response = response;
      connection.usedAt = checks;
      return connection;
    },
  };
}

/** Whether no request of a connection lacks an answer. Node counts one as busy on which no request ever came. */
const isIdle = ({ response }: Connection) => response === undefined || response.writableFinished;
