import parse from 'parse-prometheus-text-format';

/** Parses the metrics of a web process in the Prometheus text format. */
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

    /** The value of a counter or gauge; 0 without a sample. */
    value: (name: string, labels: Record<string, string> = {}): number =>
      Number(find(name, labels)?.value ?? 0),

    /** The sum of the histogram series with these labels; each bucket includes the smaller ones. */
    histogram(name: string, labels: Record<string, string> = {}) {
      const buckets: Record<string, number> = {};
      for (const sample of samplesOf(text, `${name}_bucket`, labels)) {
        const bound = sample.labels['le']!;
        buckets[bound] = (buckets[bound] ?? 0) + sample.value;
      }
      const total = (suffix: string) =>
        samplesOf(text, name + suffix, labels).reduce((sum, { value }) => sum + value, 0);
      return { count: total('_count'), sum: total('_sum'), buckets };
    },
  };
}

/** The samples of a series with these labels; the parser above merges histograms whose labels differ. */
function samplesOf(text: string, series: string, wanted: Record<string, string>) {
  const lines = [...text.matchAll(new RegExp(`^${series}(?:\\{(.*)\\})? (\\S+)$`, 'gm'))];
  return lines
    .map(([, labels = '', value]) => {
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text]) => [
        label!,
        text!,
      ]);
      return { labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) };
    })
    .filter((sample) => Object.entries(wanted).every(([label, text]) => sample.labels[label] === text));
}
