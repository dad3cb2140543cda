import { beforeAll, describe, expect, test } from 'vitest';
import { useMeasuredService } from '../../support/processes/measured-service.ts';
import { hasPromtool, promtool } from '../../support/services/prometheus.ts';

describe.skipIf(!hasPromtool())('promtool', () => {
  const urls = useMeasuredService();
  beforeAll(async () => {
    // The first call fetches promtool.
    await promtool(['--version']);
  });

  test.each(['web', 'worker'] as const)('accepts the metrics of a %s process', async (kind) => {
    const text = await (await fetch(`${urls()[kind]}/metrics`)).text();
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
