import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { readInChunks } from './read-limit.ts';

/** Interval of the checks. */
const checkMs = 1_000;
/** How long a client may leave its response unread. */
const stalledMs = 60_000;
/** How long a surplus connection may take to send its request. */
const surplusMs = 2_000;
/** With more waiting requests than this, on all connections together, new connections are read in small chunks. About as many requests
 *  fit in what Node reads at once. */
const manyWaiting = 2_048;
/** Share of the limit that is closed at once to make room: finding idle connections costs more than closing them. */
const shareClosed = 0.05;

/** One connection, from its first byte to its end. */
export interface Connection {
  readonly socket: Socket;
  /** The last request, and its response. */
  request: IncomingMessage | undefined;
  response: ServerResponse | undefined;
  /** Pipelined requests that wait for earlier ones. */
  waiting: number;
  /** The number of the check before its last use. */
  usedAt: number;
  /** Whether it was accepted beyond the limit, for one request. */
  readonly isSurplus: boolean;
  /** Whether the client had unread bytes at the last check. */
  isUnread: boolean;
}

/** Counts of a server's connections, for its metrics. */
export interface ConnectionCounts {
  open: number;
  /** Closed without a response because the limit was reached. */
  rejected: number;
  /** Closed while idle, to make room for others. */
  closedIdle: number;
  /** Pipelined requests that wait for earlier ones on their connection. */
  waiting: number;
  /** Connections closed because too many requests waited. */
  cut: number;
}

export type Connections = ReturnType<typeof watchConnections>;

export const createConnectionCounts = (): ConnectionCounts => ({
  open: 0,
  rejected: 0,
  closedIdle: 0,
  waiting: 0,
  cut: 0,
});

export interface ConnectionLimits {
  /** Concurrent connections. */
  max: number;
  /** Further connections that are accepted for one request each, so that `/health` always answers. */
  surplus: number;
}

/** Limits the connections of a server. At the limit, the longest idle connections are closed; if none is idle, new ones are
 *  rejected. A client that stops reading its response is disconnected after a minute. `onCheck` is called once a second with
 *  whether the limit was reached since the last call. */
export function watchConnections(
  server: Server,
  options: { limits: ConnectionLimits; counts: ConnectionCounts; onCheck: (isLimitMet: boolean) => void },
) {
  const { limits, counts, onCheck } = options;
  const { max, surplus } = limits;
  const connections = new Map<Socket, Connection>();
  let checks = 0;
  /** The number of the check after which no idle connection was found. */
  let fullAt = -1;
  let isLimitMet = false;
  /** Surplus connections, the oldest first. */
  const surplusConnections = new Set<Connection>();
  server.on('connection', add);
  const timer = setInterval(check, checkMs).unref();
  server.once('close', () => clearInterval(timer));

  function add(socket: Socket): void {
    const isSurplus = connections.size - surplusConnections.size >= max && !makeRoom();
    const connection: Connection = {
      socket,
      request: undefined,
      response: undefined,
      waiting: 0,
      usedAt: checks,
      isSurplus,
      isUnread: false,
    };
    if (isSurplus && !makeSurplusRoom()) {
      countRejected();
      socket.destroy();
      return;
    }
    if (isSurplus) surplusConnections.add(connection);
    connections.set(socket, connection);
    if (counts.waiting > manyWaiting) readInChunks(socket);
    counts.open = connections.size;
    if (isSurplus) socket.setTimeout(surplusMs);
    socket.once('close', () => {
      connections.delete(socket);
      surplusConnections.delete(connection);
      counts.open = connections.size;
      addWaiting(connection, -connection.waiting);
    });
  }

  /** Makes room for a surplus connection, if necessary by closing the oldest one that has sent no request. Returns whether there is room. */
  function makeSurplusRoom(): boolean {
    if (surplusConnections.size < surplus) return true;
    for (const connection of surplusConnections) {
      if (connection.request !== undefined) continue;
      surplusConnections.delete(connection);
      connections.delete(connection.socket);
      connection.socket.destroy();
      countRejected();
      return true;
    }
    return false;
  }

  function addWaiting(connection: Connection, count: number): void {
    connection.waiting += count;
    counts.waiting += count;
  }

  function countRejected(): void {
    isLimitMet = true;
    counts.rejected += 1;
  }

  /** Closes the connections that were idle for longest. Returns whether there were any. */
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

  /** Whether a connection may be closed: a client is likely to use a recently used one again, an unused one less so. */
  function isOld({ request, usedAt }: Connection): boolean {
    return usedAt < (request === undefined ? checks : checks - 1);
  }

  function check(): void {
    checks += 1;
    for (const connection of connections.values()) {
      const isUnread = connection.socket.writableLength > 0;
      // Node closes the socket on this time-out, and resets the time-out at the end of the response.
      if (isUnread && connection.isUnread && connection.socket.timeout !== stalledMs)
        connection.socket.setTimeout(stalledMs);
      connection.isUnread = isUnread;
    }
    onCheck(isLimitMet);
    isLimitMet = false;
  }

  return {
    counts: counts as Readonly<ConnectionCounts>,
    countRejected,
    addWaiting,
    countCut: (): void => void (counts.cut += 1),
    all: (): Iterable<Connection> => connections.values(),
    get: (socket: Socket): Connection | undefined => connections.get(socket),

    /** Registers a request of a connection; undefined if the connection is closed. */
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

/** Whether all requests of a connection have been answered. Node counts a connection without any request as busy. */
const isIdle = ({ response }: Connection) => response === undefined || response.writableFinished;
