import { beforeAll, expect, test } from 'vitest';
import { useMeasuredService } from '../support/processes/measured-service.ts';
import { waitUntil } from '../support/wait-until.ts';
import { sectionOf } from './markdown.ts';

interface Metric {
  type: string;
  labels: string[];
}

const urls = useMeasuredService();
/** The metrics of each kind of process, as `/metrics` exposes them. */
const exposed: Record<string, Record<string, Metric>> = {};

beforeAll(async () => {
  exposed['web'] = await readMetrics(urls().web);
  await waitUntil('a job was measured', async () => {
    exposed['worker'] = await readMetrics(urls().worker);
    return exposed['worker']['linkmill_job_duration_seconds']?.labels.includes('queue');
  });
});

async function readMetrics(baseUrl: string): Promise<Record<string, Metric>> {
  const text = await (await fetch(`${baseUrl}/metrics`)).text();
  const types = [...text.matchAll(/^# TYPE (linkmill_\w+) (\w+)$/gm)];
  return Object.fromEntries(
    types.map(([, name = '', type = '']) => {
      const samples = [...text.matchAll(new RegExp(`^${name}(?:_bucket|_sum|_count)?\\{(.*)\\} `, 'gm'))];
      const labels = samples.flatMap(([, pairs = '']) =>
        [...pairs.matchAll(/(\w+)="/g)].map(([, label]) => label!),
      );
      return [name, { type, labels: [...new Set(labels)].filter((label) => !implicitLabels.has(label)) }];
    }),
  );
}

/** Labels of every metric of a cluster, or of every histogram. */
const implicitLabels = new Set(['process', 'le']);

/** The rows of the table in docs/operations.md. */
function readTable() {
  const section = sectionOf('docs/operations.md', '## Metrics');
  const rows = [...section.matchAll(/^\| `(linkmill_\w+)` \| (\w+) \| ([^|]*) \| ([\w, ]+) \|/gm)];
  return rows.map(([, name = '', type = '', labels = '', processes = '']) => ({
    name,
    type,
    labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label!),
    processes: processes.trim().split(', '),
  }));
}

test.each(['web', 'worker'])(
  'the table of metrics lists each metric of a %s process, and no other',
  (kind) => {
    const documented = readTable().filter(({ processes }) => processes.includes(kind));
    expect(documented.map(({ name }) => name).toSorted()).toEqual(Object.keys(exposed[kind]!).toSorted());
  },
);

test('the table of metrics gives the type and all labels of each metric', () => {
  const all = Object.values(exposed).flatMap((metrics) => Object.entries(metrics));
  const wrong = all.filter(([name, { type, labels }]) => {
    const row = readTable().find((one) => one.name === name);
    return row?.type !== type || !labels.every((label) => row.labels.includes(label));
  });
  expect(wrong).toEqual([]);
});

test('the table of metrics lists each metric once, sorted by name', () => {
  const names = readTable().map(({ name }) => name);
  expect(names).toEqual([...new Set(names)].toSorted());
});
