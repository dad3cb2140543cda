import type { LineEvent } from './plan.ts';

export type Line = ReturnType<typeof createLine>;

/** What lies between Redis and the subscriber of a web process, which hears from the beginning on. Announcements travel for
 *  as long as `travel` takes, each for itself, and get lost as often as `losses` says. */
export function createLine(
  listener: {
    onChange: (shortCode: string, version: number) => void;
    onConnected: () => void;
    onDisconnected: () => void;
  },
  travel: () => Promise<void>,
  losses: Iterator<boolean>,
) {
  const travels: Promise<void>[] = [];
  let connection = 1;
  /** Whether Redis sends announcements, and whether its answer to the last SUBSCRIBE is on its way. */
  let isSubscribed = true;
  let isAnswered = false;
  let relies = true;
  listener.onConnected();

  async function send(shortCode: string, version: number) {
    const sentOn = connection;
    await travel();
    if (sentOn === connection && losses.next().value !== true) listener.onChange(shortCode, version);
  }

  const events: Record<LineEvent, () => void> = {
    breaks: () => {
      isSubscribed = isAnswered = false;
      connection += 1;
    },
    notices: () => {
      if (isSubscribed || !relies) return;
      relies = false;
      listener.onDisconnected();
    },
    subscribes: () => {
      if (!relies) isSubscribed = isAnswered = true;
    },
    'is answered': () => {
      if (!isAnswered) return;
      isAnswered = false;
      relies = true;
      listener.onConnected();
    },
  };
  return {
    ...events,
    /** Whether the web process believes that it hears every announcement. */
    get relies() {
      return relies;
    },
    announce: (shortCode: string, version: number) => {
      if (!isSubscribed) return;
      const sent = send(shortCode, version);
      // Fails for whoever waits for its arrival.
      sent.catch(() => undefined);
      travels.push(sent);
    },
    /** Resolves when nothing is on its way any more. */
    arrived: async () => await Promise.all(travels),
  };
}
