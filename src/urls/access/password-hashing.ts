import { createConcurrencyLimit } from '../../resilience/concurrency-limit.ts';
import { hashPassword, hashSlowly } from './password.ts';

export type PasswordHashing = ReturnType<typeof createPasswordHashing>;

/** All hashing that requests to write ask for, however many they are: visitors whose passwords are checked do not wait behind it.
 *  Throws Overloaded when too many wait. */
export function createPasswordHashing(limits: { concurrency: number; queueSize: number }) {
  const inTurn = createConcurrencyLimit(limits);
  return {
    hashPassword: async (password: string) => await inTurn(async () => await hashPassword(password)),
    hashSlowly: async (text: string, salt: string) => await inTurn(async () => await hashSlowly(text, salt)),
  };
}
