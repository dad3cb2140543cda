import type { Log } from '../../log.ts';
import { withDeadline } from '../../resilience/shutdown.ts';

/** What two processes at the ends of a channel ask each other. */
export type Question =
  /** To a web process: its metrics. */
  | 'metrics'
  /** To the primary process: those of all web processes, in their order. */
  | 'metrics of all'
  /** To a web process: to know that another one has taken its place, which it is about to leave. */
  | 'be replaced';

/** Answers that it can give, each with what the question asks for. */
export type Answers = Partial<Record<Question, () => Promise<unknown>>>;

/** A process that was started with a channel to this one, or this one itself. */
interface Channel {
  on(event: 'message', listener: (message: Message) => void): unknown;
  send?(message: Message, onSent: (error: Error | null) => void): unknown;
}

type Message = { asked: Question; number: number } | { answered: unknown; number: number };

/** Answers what the process at the other end of a channel asks, and returns how it is asked itself: resolves to its answer,
 *  or to undefined when there is none within `ms`. What it asks and this process fails to answer is logged. */
export function exchangeCalls(channel: Channel, answers: Answers, log: Log) {
  const waiting = new Map<number, (answer: unknown) => void>();
  let lastNumber = 0;
  // Whoever has gone does not answer: that is all there is to know about a message that could not be sent.
  const send = (message: Message) => channel.send?.(message, () => undefined);

  channel.on('message', (message) => {
    const { number } = message;
    if ('answered' in message) waiting.get(number)?.(message.answered);
    else void answer(message.asked, number);
  });

  async function answer(asked: Question, number: number) {
    try {
      const answered = await answers[asked]?.();
      if (answered !== undefined) send({ answered, number });
    } catch (error) {
      log.warn({ err: error, asked }, 'what another process asked could not be answered');
    }
  }

  return async (asked: Question, ms: number): Promise<unknown> => {
    const number = ++lastNumber;
    const answer = new Promise<unknown>((resolve) => {
      waiting.set(number, resolve);
      send({ asked, number });
    });
    return await withDeadline(answer, ms, () => undefined).finally(() => waiting.delete(number));
  };
}
