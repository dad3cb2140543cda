import { expect, test } from 'vitest';
import { Overloaded } from '../../../src/resilience/overloaded.ts';
import { createPasswordHashing } from '../../../src/urls/access/password.ts';
import { checkPassword } from '../../../src/urls/access/password.ts';

test('hashing is limited to one at a time, and rejected when the queue is full', async () => {
  const { hashPassword, hashWithSalt } = createPasswordHashing({ concurrency: 1, queueSize: 1 });
  let finished = 0;
  const first = hashPassword('first').finally(() => (finished += 1));
  const second = hashWithSalt('second', 'salt').finally(() => (finished += 1));
  for (const rejected of [hashPassword('third'), hashWithSalt('fourth', 'salt')])
    await expect(rejected).rejects.toThrow(Overloaded);
  expect(finished).toBe(0);
  const hash = await first;
  expect(finished).toBe(1);
  expect(await second).toHaveLength(32);
  expect(await checkPassword('first', hash)).toBe(true);
});
