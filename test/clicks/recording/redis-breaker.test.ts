import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { createRedisBreaker } from '../../../src/clicks/recording/redis-breaker.ts';

test('a Redis that takes some batches and refuses others writes at most 5 lines at once', () => {
  const lines: string[] = [];
  const breaker = createRedisBreaker({
    readWaiting: async () => 0,
    resend: async () => undefined,
    isPostgresAvailable: () => true,
    ackMs: 100,
    maxWaiting: 1,
    onOpen: () => undefined,
    onClose: () => undefined,
    log: pino({}, { write: (line) => void lines.push(line) }),
  });
  onTestFinished(breaker.stop);
  for (let times = 0; times < 50; times++) {
    breaker.open(new Error(`refused batch ${times}`));
    breaker.onStored();
  }
  expect(lines).toHaveLength(5);
});
