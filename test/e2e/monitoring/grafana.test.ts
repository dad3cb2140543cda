import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useMeasuredService } from '../../support/processes/measured-service.ts';
import { hasPromtool, startPrometheus } from '../../support/services/prometheus.ts';
import { waitUntil } from '../../support/wait-until.ts';

interface Panel {
  type: string;
  title: string;
  targets?: { expr: string }[];
}

const board = JSON.parse(await readFile('deploy/grafana/linkmill.json', 'utf8')) as { panels: Panel[] };
const queries = board.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => [title, expr] as const),
);

describe.skipIf(!hasPromtool())('the board of Grafana', () => {
  const urls = useMeasuredService();
  let prometheus: Awaited<ReturnType<typeof startPrometheus>>;
  beforeAll(async () => {
    prometheus = await startPrometheus([urls().web, urls().worker]);
    // A rate needs two samples of each process, and counters that begin to exist with a job need a job.
    await waitUntil('the rates of redirects and jobs are known', async () => {
      const rates = ['linkmill_redirects_total', 'linkmill_job_duration_seconds_count'];
      const counts = await Promise.all(
        rates.map(async (name) => await prometheus.query(`rate(${name}[1m])`)),
      );
      return counts.every((count) => count > 0);
    });
  });
  afterAll(async () => await prometheus?.stop());

  test.each(queries)('finds what it shows in %s: %s', async (_title, expr) => {
    const expression = expr.replaceAll('$__rate_interval', '1m');
    expect(expression).not.toContain('$');
    expect(await prometheus.query(expression)).toBeGreaterThan(0);
  });
});
