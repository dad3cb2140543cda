import { expect, test } from 'vitest';
import { Overloaded } from '../../../src/resilience/overloaded.ts';
import { createPasswordHashing } from '../../../src/urls/access/password.ts';
import { checkPassword } from '../../../src/urls/access/password.ts';

test('passwords to hash wait for each other and for other texts; who comes when too many wait is turned away', async () => {
  const { hashPassword, hashWithSalt } = createPasswordHashing({ concurrency: 1, queueSize: 1 });
  let ended = 0;
  const first = hashPassword('first').finally(() => (ended += 1));
  const second = hashWithSalt('second', 'salt').finally(() => (ended += 1));
  for (const tooLate of [hashPassword('third'), hashWithSalt('fourth', 'salt')])
    await expect(tooLate).rejects.toThrow(Overloaded);
  expect(ended).toBe(0);
  const hash = await first;
  expect(ended).toBe(1);
  expect(await second).toHaveLength(32);
  expect(await checkPassword('first', hash)).toBe(true);
});
