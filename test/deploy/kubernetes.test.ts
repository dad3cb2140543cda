import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { webSettings } from '../../src/config/web.ts';
import { workerSettings } from '../../src/config/worker.ts';
import { fetchKubernetesTools, hasKubernetesTools, runTool } from '../support/deploy/kubernetes-tools.ts';
import { findSchemaFaults, type Manifest, parseManifests } from '../support/deploy/manifests.ts';

const chart = 'deploy/helm/linkmill';
const required = ['--set', 'baseUrl=https://s.example.com/go'];
const everything = [
  'web.autoscaling.enabled=true',
  'workerFlush.replicas=2',
  'keda.enabled=true',
  'ingress.enabled=true,ingress.className=nginx,ingress.tlsSecret=certificate,ingress.annotations.a=b',
  'httpRoute.enabled=true,httpRoute.parentRefs[0].name=public',
  'networkPolicy.enabled=true',
  'monitoring.enabled=true,monitoring.labels.release=prometheus,monitoring.grafana.enabled=true',
  'trial.enabled=true,trial.password=secret',
  'imagePullSecrets[0].name=registry',
  'nodeSelector.disk=ssd,tolerations[0].key=links,tolerations[0].operator=Exists',
  'settings.CLICK_DETAIL=count,settings.SHUTDOWN_DEADLINE_MS=40000',
].flatMap((values) => ['--set', values]);

interface Container {
  args: string[];
  ports?: { name: string; containerPort: number }[];
  lifecycle?: { preStop: { exec: { command: string[] } } };
}
interface PodSpec {
  terminationGracePeriodSeconds: number;
  containers: [Container];
}

async function render(values: string[]): Promise<Manifest[]> {
  const { code, output } = await runTool('helm', ['template', 'links', chart, ...required, ...values]);
  expect([code, code === 0 ? '' : output]).toEqual([0, '']);
  return parseManifests(output);
}

const find = (manifests: Manifest[], kind: string, name: string) =>
  manifests.find((one) => one.kind === kind && one.metadata.name.endsWith(name))!;
const podOf = (manifest: Manifest) => (manifest.spec as { template: { spec: PodSpec } }).template.spec;

describe.skipIf(!hasKubernetesTools)('Kubernetes', () => {
  beforeAll(async () => {
    await fetchKubernetesTools();
  });

  test('helm accepts the chart, also strictly', async () => {
    const { code, output } = await runTool('helm', ['lint', '--strict', chart, ...required, ...everything]);
    expect([code, output]).toEqual([0, expect.stringContaining('0 chart(s) failed')]);
  });

  test.each([
    ['the fewest values', []],
    ['all values', everything],
  ])('what the chart creates from %s follows the schemas of Kubernetes', async (_, values) => {
    const manifests = await render(values);
    expect(manifests.length).toBeGreaterThan(values.length === 0 ? 5 : 20);
    expect(await findSchemaFaults(manifests)).toBe('');
  });

  test('an object with an unknown field does not follow the schemas', async () => {
    const manifests = await render([]);
    const deployment = find(manifests, 'Deployment', '-web');
    Object.assign(podOf(deployment).containers[0], { unknownField: {} });
    expect(await findSchemaFaults([deployment])).toContain('unknownField');
  });

  test.each(['base', 'overlays/small', 'overlays/ha'])(
    'kustomize creates objects of %s that follow the schemas',
    async (name) => {
      const { output } = await runTool('kubectl', ['kustomize', `deploy/kustomize/${name}`]);
      const manifests = parseManifests(output);
      expect(manifests.map(({ kind }) => kind)).toEqual(
        expect.arrayContaining(['ConfigMap', 'Deployment', 'Job', 'Service']),
      );
      expect(await findSchemaFaults(manifests)).toBe('');
      for (const { kind, metadata } of manifests)
        expect([kind, metadata.labels?.['app.kubernetes.io/name']]).toEqual([kind, 'linkmill']);
    },
  );

  test.each([
    ['no public origin', ['--set', 'baseUrl='], 'set baseUrl to the public origin'],
    ['an unknown value', ['--set', 'web.replica=3'], 'replica'],
    ['a number as a text', ['--set-string', 'web.replicas=three'], 'replicas'],
    ['a port that the chart sets', ['--set', 'settings.PORT=8080'], 'PORT'],
    ['a setting in small letters', ['--set', 'settings.log_level=debug'], 'log_level'],
    ['stores to try without a password', ['--set', 'trial.enabled=true'], 'set trial.password'],
    ['a route without a Gateway', ['--set', 'httpRoute.enabled=true'], 'set httpRoute.parentRefs'],
  ])('%s is refused', async (_, values, message) => {
    const { code, output } = await runTool('helm', ['template', 'links', chart, ...required, ...values]);
    expect([code, output]).toEqual([1, expect.stringContaining(message)]);
  });

  test('the settings exist, and those of the chart win over none of the Secret', async () => {
    const manifests = await render(everything);
    const { data } = find(manifests, 'ConfigMap', 'links-linkmill');
    const known = { ...webSettings.shape, ...workerSettings.shape };
    expect(Object.keys(data!).filter((name) => !(name in known))).toEqual([]);
    expect(data).toMatchObject({ CLICK_DETAIL: 'count', SHUTDOWN_DEADLINE_MS: '40000' });
    const { envFrom } = podOf(find(manifests, 'Deployment', '-web')).containers[0] as unknown as {
      envFrom: Record<string, unknown>[];
    };
    expect(envFrom.map((one) => Object.keys(one)[0])).toEqual(['configMapRef', 'secretRef', 'secretRef']);
  });

  test('large numbers of a values file stay whole', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'linkmill-values-'));
    const file = path.join(folder, 'values.yaml');
    await writeFile(file, 'settings: { CLICK_BUFFER_MAX_ENTRIES: 1000000, SHUTDOWN_DEADLINE_MS: 40000 }\n');
    const manifests = await render(['--values', file]);
    await rm(folder, { recursive: true });
    expect(find(manifests, 'ConfigMap', 'links-linkmill').data).toMatchObject({
      CLICK_BUFFER_MAX_ENTRIES: '1000000',
      SHUTDOWN_DEADLINE_MS: '40000',
    });
    expect(podOf(find(manifests, 'Deployment', '-worker')).terminationGracePeriodSeconds).toBe(45);
  });

  test('processes have time to end, listen on the ports that are probed, and serve known queues', async () => {
    const manifests = await render(everything);
    const { data } = find(manifests, 'ConfigMap', 'links-linkmill');
    const deadlineSeconds = Number(data!['SHUTDOWN_DEADLINE_MS']) / 1_000;
    const web = podOf(find(manifests, 'Deployment', '-web'));
    const worker = podOf(find(manifests, 'Deployment', '-worker'));
    const flush = podOf(find(manifests, 'Deployment', '-worker-flush'));
    const preStop = Number(web.containers[0].lifecycle!.preStop.exec.command[1]);
    expect(web.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(preStop + deadlineSeconds + 5);
    for (const pod of [worker, flush])
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(deadlineSeconds + 5);
    expect(web.containers[0].ports).toEqual([{ name: 'http', containerPort: Number(data!['PORT']) }]);
    expect(worker.containers[0].ports).toEqual([
      { name: 'metrics', containerPort: Number(data!['WORKER_PORT']) },
    ]);
    expect(flush.containers[0].args.slice(-2)).toEqual(['--queues', 'flush-clicks,roll-up-clicks']);
  });

  test('the board for Grafana is in a ConfigMap that its sidecar finds', async () => {
    const { data, metadata } = find(await render(everything), 'ConfigMap', '-grafana');
    expect(metadata.labels).toMatchObject({ grafana_dashboard: '1' });
    expect(data!['linkmill.json']).toBe(await readFile('deploy/grafana/linkmill.json', 'utf8'));
  });

  test('the alerts of the chart are those that are tested', async () => {
    const [ours, charts] = await Promise.all(
      ['deploy/prometheus/alerts.yml', `${chart}/files/alerts.yml`].map(
        async (file) => await readFile(file, 'utf8'),
      ),
    );
    expect(charts).toBe(ours);
  });
});
