import { findRedisServer } from '../../../scripts/services/redis-server.ts';
import { run } from '../../../scripts/services/run-command.ts';
import { openPostgres } from '../../../src/storage/postgres/postgres.ts';

/** Reads the versions of both stores; PostgreSQL must be running. */
export async function readVersions({
  postgres,
}: {
  postgres: { url: string };
}): Promise<Record<string, string>> {
  const db = openPostgres({ url: postgres.url, poolMax: 1, queryTimeoutMs: 10_000, name: 'test' });
  const { rows } = await db.raw<{ rows: { server_version: string }[] }>('show server_version');
  await db.destroy();
  const redis = await findRedisServer(() => {});
  const answer = await run(redis.path, ['--version'], { env: { ...process.env, ...redis.env } });
  return {
    PostgreSQL: rows[0]?.server_version ?? 'unknown',
    Redis: /v=([\d.]+)/.exec(answer)?.[1] ?? answer.trim(),
  };
}
