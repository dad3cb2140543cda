import { Cluster, type ClusterNode, type ClusterOptions, type Command, type Redis } from 'ioredis';
import { readPasswordFile } from '../connections/password-file.ts';
import type { RedisAddress } from '../connections/redis-url.ts';
import { nodesReplaced, primariesOf } from './client.ts';
import { limitDuration } from './command-timeout.ts';
import { reconnectDelayMs } from './roles.ts';

/** How often the nodes are asked which of them has which slots. A command that reaches a wrong node also asks. */
const refreshEveryMs = 2_000;
/** Wait before a command is sent again whose node failed, or whose slot has no node. */
const retryDelayMs = 100;
/** Attempts of a command that reaches a wrong node, or none. A failover takes longer; callers continue without Redis meanwhile. */
const maxAttempts = 16;

/** The connections to the nodes of a Redis Cluster, with the time limits of one role. A command fails after the role's `commandTimeout`, attempts
 *  included. Emits `nodesReplaced`. */
export class LinkmillCluster extends Cluster {
  readonly #address: RedisAddress;
  #primaries: Redis[] | undefined;

  constructor(address: RedisAddress, nodes: ClusterNode[] = address.clusterNodes ?? []) {
    super(nodes, clusterOptionsOf(address));
    this.#address = address;
    this.on('refresh', () => this.#followPrimaries());
    // ioredis connects to a node after this event.
    this.on('+node', (node: Redis) => this.#readPassword(node));
  }

  override sendCommand(command: Command, ...rest: [stream?: never, node?: never]): unknown {
    const { commandTimeout, enableOfflineQueue = true } = this.#address;
    if (!enableOfflineQueue && this.status !== 'ready') {
      command.reject(new Error("Cluster isn't ready"));
      return command.promise;
    }
    if (commandTimeout !== undefined) limitDuration(command, commandTimeout);
    return super.sendCommand(command, ...rest);
  }

  /** BullMQ creates the blocking connections of its workers with it. */
  override duplicate(nodes: ClusterNode[] = [], options: Partial<ClusterOptions> = {}): Cluster {
    const address = { ...this.#address, ...options.redisOptions };
    return new LinkmillCluster(address, nodes.length > 0 ? nodes : undefined);
  }

  /** Connects to the primaries before they are needed, and announces those that are new. A restarted node has a new connection. */
  #followPrimaries(): void {
    const before = this.#primaries;
    this.#primaries = primariesOf(this);
    for (const node of this.#primaries) {
      if (before?.includes(node)) continue;
      const announce = () => before !== undefined && this.emit(nodesReplaced);
      if (node.status === 'ready') announce();
      else node.once('ready', announce);
      // The cluster reports a failure as "node error".
      if (node.status === 'wait') node.connect().catch(() => undefined);
    }
  }

  #readPassword(node: Redis): void {
    const { passwordFile } = this.#address;
    const password = passwordFile && readPasswordFile(passwordFile);
    if (password) node.options.password = password;
  }
}

function clusterOptionsOf(address: RedisAddress) {
  const {
    clusterNodes: _,
    passwordFile: __,
    commandTimeout: ___,
    retryStrategy: ____,
    ...redisOptions
  } = address;
  // A visitor does not wait for another attempt.
  const waits = address.maxRetriesPerRequest !== 0;
  return {
    // ioredis connects to a lost node again when the cluster names it.
    redisOptions: { ...redisOptions, replyMapping: 'legacy' as const },
    // `sendCommand` rejects commands while the cluster is not connected. A command whose node is not connected yet waits for it.
    enableOfflineQueue: true,
    enableReadyCheck: false,
    clusterRetryStrategy: reconnectDelayMs,
    slotsRefreshInterval: refreshEveryMs,
    slotsRefreshTimeout: 2_000,
    maxRedirections: waits ? maxAttempts : 3,
    retryDelayOnFailover: waits ? retryDelayMs : 0,
    retryDelayOnClusterDown: waits ? retryDelayMs : 0,
    retryDelayOnTryAgain: retryDelayMs,
    // The operating system resolves names at each connection, and certificates are checked for the name.
    dnsLookup: (host, callback) => callback(null, host),
  } satisfies ClusterOptions;
}

/** The error of a node behind the error of a cluster, or the error itself. */
export const causeOf = (error: Error & { lastNodeError?: Error }): Error => error.lastNodeError ?? error;
