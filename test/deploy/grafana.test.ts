import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { grafanaBoard } from '../../scripts/docs/grafana/board.ts';
import { rows } from '../../scripts/docs/grafana/panels.ts';
import { sectionOf } from '../docs/markdown.ts';

const panels = Object.values(rows).flat();

test.each(['deploy/grafana/linkmill.json', 'deploy/helm/linkmill/files/grafana.json'])(
  '%s is generated',
  async (file) => {
    expect(await readFile(file, 'utf8')).toBe(grafanaBoard());
  },
);

test('the board shows documented metrics only, and all that the alerts watch', async () => {
  const namesIn = (text: string) =>
    new Set([...text.matchAll(/linkmill_\w+/g)].map(([name]) => name.replace(/_(bucket|count|sum)$/, '')));
  const documented = namesIn(sectionOf('docs/operations.md', '## Metrics'));
  const shown = namesIn(panels.flatMap(({ queries }) => Object.values(queries)).join('\n'));
  expect([...shown].filter((name) => !documented.has(name))).toEqual([]);
  const watched = namesIn(await readFile('deploy/prometheus/alerts.yml', 'utf8'));
  watched.delete('linkmill_build_info');
  expect([...watched].filter((name) => !shown.has(name))).toEqual([]);
});

test('each panel has a title of its own and says what it shows', () => {
  const titles = panels.map(({ title }) => title);
  expect(new Set(titles).size).toBe(titles.length);
  for (const { description } of panels) expect(description).toMatch(/^[A-Z1].{20,}\.$/);
});
