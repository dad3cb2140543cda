import parse from 'parse-prometheus-text-format';

export type Prometheus = Awaited<ReturnType<typeof openPrometheus>>;

/** The metrics of a web process as a parser of Prometheus' text format reads them. */
export async function openPrometheus(baseUrl: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${baseUrl}/metrics`, { headers });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`no metrics: ${response.status} ${text}`);
  const families = new Map(parse(text).map((family) => [family.name, family]));

  function find(name: string, labels: Record<string, string>) {
    const samples = families.get(name)?.metrics ?? [];
    return samples.find((sample) =>
      Object.entries(labels).every(([label, value]) => sample.labels?.[label] === value),
    );
  }

  return {
    names: [...families.keys()],

    /** A counter or gauge; what was never counted has no sample, and is 0. */
    value: (name: string, labels: Record<string, string> = {}): number =>
      Number(find(name, labels)?.value ?? 0),

    /** A histogram, with what is in each bucket and those below. */
    histogram(name: string, labels: Record<string, string> = {}) {
      const { count = 0, sum = 0, buckets = {} } = find(name, labels) ?? {};
      const counts = Object.entries(buckets).map(([bound, within]) => [bound, Number(within)] as const);
      return { count: Number(count), sum: Number(sum), buckets: Object.fromEntries(counts) };
    },
  };
}
