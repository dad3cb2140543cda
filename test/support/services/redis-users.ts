import { Redis } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import { track } from '../resources.ts';
import { startTestRedis, type TestRedis } from './servers.ts';

const password = 'secret';

/** A Redis server for a test file, with an administrator who creates users. */
export function useRedisUsers() {
  let server: TestRedis;
  let admin: Redis;
  let closed: () => void;

  beforeAll(async () => {
    server = await startTestRedis();
    closed = track('Redis server');
    admin = new Redis(server.url);
  });
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
    closed();
  });

  return {
    server: () => server,
    admin: () => admin,

    /** Creates a user with these rights, or replaces the rights of an existing one; resolves to its Redis URL. */
    async createUser(user: string, rights: string[]): Promise<string> {
      await admin.call('ACL', 'SETUSER', user, 'reset', 'on', `>${password}`, ...rights);
      return `redis://${user}:${password}@${new URL(server.url).host}`;
    },
  };
}
