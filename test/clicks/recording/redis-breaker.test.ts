import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { createRedisBreaker } from '../../../src/clicks/recording/redis-breaker.ts';

test('a Redis that accepts some batches and rejects others causes at most 5 log lines', () => {
  const lines: string[] = [];
  const breaker = createRedisBreaker({
    readWaiting: async () => 0,
    resend: async () => undefined,
    isPostgresAvailable: () => true,
    ackMs: 100,
    maxWaiting: 1,
    onOpen: () => undefined,
    onClose: () => undefined,
    shard: 0,
    log: pino({}, { write: (line) => void lines.push(line) }),
  });
  onTestFinished(breaker.stop);
  for (let times = 0; times < 50; times++) {
    breaker.open(new Error(`refused batch ${times}`));
    breaker.onStored();
  }
  expect(lines).toHaveLength(5);
});
