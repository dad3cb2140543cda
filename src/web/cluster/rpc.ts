import type { Activity } from '../../http/ops/activity.ts';
import type { Log } from '../../log.ts';
import type { ProcessMetrics } from '../../metrics/prometheus.ts';
import { withDeadline } from '../../resilience/shutdown.ts';

/** The calls between the primary process and its web processes, with their results. */
interface RpcResults {
  /** To a web process: its metrics. */
  metrics: ProcessMetrics;
  /** To the primary process: the metrics of all web processes, in slot order. */
  metricsOfAll: (ProcessMetrics | undefined)[];
  /** To a web process: its activity. */
  activity: Activity;
  /** To the primary process: the activity of all web processes, in slot order. */
  activityOfAll: (Activity | undefined)[];
  /** To a web process: another process has replaced it. */
  replaced: boolean;
}

type RpcMethod = keyof RpcResults;

/** The calls that a process handles. */
export type RpcHandlers = { [Method in RpcMethod]?: () => Promise<RpcResults[Method]> };

/** The IPC channel to a child process or, in a child process, to its parent. */
interface Channel {
  on(event: 'message', listener: (message: Message) => void): unknown;
  send?(message: Message, onSent: (error: Error | null) => void): unknown;
}

type Message = { method: RpcMethod; id: number } | { result: unknown; id: number };

/** Handles the calls of the process at the other end of a channel, and returns a function that calls it. A call resolves to
 *  undefined if there is no result within `ms`. */
export function createRpc(channel: Channel, handlers: RpcHandlers, log: Log) {
  const pending = new Map<number, (result: unknown) => void>();
  let lastId = 0;
  // A message that cannot be sent to a dead process is a call without a result.
  const send = (message: Message) => channel.send?.(message, () => undefined);

  channel.on('message', (message) => {
    if ('result' in message) pending.get(message.id)?.(message.result);
    else void handle(message.method, message.id);
  });

  async function handle(method: RpcMethod, id: number) {
    try {
      const result = await handlers[method]?.();
      if (result !== undefined) send({ result, id });
    } catch (error) {
      log.warn({ err: error, method }, 'failed to handle a call of another process');
    }
  }

  return async <Method extends RpcMethod>(
    method: Method,
    ms: number,
  ): Promise<RpcResults[Method] | undefined> => {
    const id = ++lastId;
    const result = new Promise<unknown>((resolve) => {
      pending.set(id, resolve);
      send({ method, id });
    });
    const received = withDeadline(result, ms, () => undefined).finally(() => pending.delete(id));
    return (await received) as RpcResults[Method] | undefined;
  };
}
