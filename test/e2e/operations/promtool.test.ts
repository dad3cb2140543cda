import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createApiKeys } from '../../../src/api-keys/api-keys.ts';
import { createClient } from '../../support/http/client.ts';
import { sendRedirects } from '../../support/processes/load.ts';
import { startWeb, startWorker } from '../../support/processes/processes.ts';
import { uniquePrefix, useDatabase } from '../../support/resources.ts';
import { findLastingPort } from '../../support/services/ports.ts';
import { hasPromtool, promtool } from '../../support/services/promtool.ts';
import { createUrl } from '../../support/urls/urls.ts';

const database = useDatabase();
let urls: Record<'web' | 'worker', string>;
let stop: () => Promise<unknown>;

describe.skipIf(!hasPromtool())('promtool', () => {
  beforeAll(async () => {
    const port = String(await findLastingPort());
    const settings = {
      DATABASE_URL: database.url(),
      REDIS_URL: inject('redisUrl'),
      REDIS_PREFIX: uniquePrefix(),
      METRICS_PUBLIC: 'true',
      HOST: '127.0.0.1',
    };
    const [web, worker] = await Promise.all([
      startWeb({ ...settings, WEB_CONCURRENCY: '2' }),
      startWorker({ ...settings, WORKER_PORT: port }),
    ]);
    stop = async () => await Promise.all([web.stop(), worker.stop()]);
    urls = { web: web.baseUrl, worker: `http://127.0.0.1:${port}` };
    const { key } = await createApiKeys(database.db()).create('test');
    const code = await createUrl(createClient(web.baseUrl, key));
    const codes = Array.from({ length: 400 }, () => code);
    await sendRedirects(web.baseUrl, codes);
    // The first call fetches promtool.
    await promtool(['--version']);
  });
  afterAll(async () => await stop());

  test.each(['web', 'worker'] as const)('accepts the metrics of a %s process', async (kind) => {
    const text = await (await fetch(`${urls[kind]}/metrics`)).text();
    const { output } = await promtool(['check', 'metrics'], text);
    const faults = output.split('\n').filter((line) => /^(linkmill|process|nodejs)_/.test(line));
    expect(faults.filter((fault) => !knownFaults.has(fault))).toEqual([]);
    expect(output).not.toContain('error while linting');
  });

  test.each([
    ['check', 'deploy/prometheus/alerts.yml'],
    ['test', 'deploy/prometheus/alerts.test.yml'],
  ])('accepts the alerting rules: %s rules %s', async (action, file) => {
    const { code, output } = await promtool([action, 'rules', file]);
    expect(code).toBe(0);
    expect(output).toContain('SUCCESS');
  });
});

/** Accepted findings of promtool: prom-client chooses these metric names. */
const knownFaults = new Set(
  ['handles', 'requests', 'resources'].map(
    (what) => `nodejs_active_${what}_total non-counter metrics should not have "_total" suffix`,
  ),
);
