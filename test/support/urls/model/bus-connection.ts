import type { BusEvent } from './plan.ts';

/** Simulates the connection between Redis and the subscriber of a web process, connected at first. Each message takes
 *  as long as `transit`, independently of others, and is lost as `losses` decides. */
export function createBusConnection(
  listener: {
    onChange: (shortCode: string, version: number) => void;
    onConnected: () => void;
    onDisconnected: () => void;
  },
  transit: () => Promise<void>,
  losses: Iterator<boolean>,
) {
  const inFlight: Promise<void>[] = [];
  let connection = 1;
  /** Whether Redis sends messages, and whether its reply to the last SUBSCRIBE is in flight. */
  let isSubscribed = true;
  let isReplyPending = false;
  let reliesOnBus = true;
  listener.onConnected();

  async function send(shortCode: string, version: number) {
    const sentOn = connection;
    await transit();
    if (sentOn === connection && losses.next().value !== true) listener.onChange(shortCode, version);
  }

  const events: Record<BusEvent, () => void> = {
    break: () => {
      isSubscribed = isReplyPending = false;
      connection += 1;
    },
    notice: () => {
      if (isSubscribed || !reliesOnBus) return;
      reliesOnBus = false;
      listener.onDisconnected();
    },
    subscribe: () => {
      if (!reliesOnBus) isSubscribed = isReplyPending = true;
    },
    reply: () => {
      if (!isReplyPending) return;
      isReplyPending = false;
      reliesOnBus = true;
      listener.onConnected();
    },
  };
  return {
    ...events,
    /** Whether the web process assumes that it receives every message. */
    get reliesOnBus() {
      return reliesOnBus;
    },
    publish: (shortCode: string, version: number) => {
      if (!isSubscribed) return;
      const sent = send(shortCode, version);
      // Handled by the caller of `arrived`.
      sent.catch(() => undefined);
      inFlight.push(sent);
    },
    /** Resolves when no message is in flight. */
    arrived: async () => await Promise.all(inFlight),
  };
}
