import { readFileSync, writeFileSync } from 'node:fs';
import { conditionSections } from './docs/conditions.ts';
import { grafanaBoard } from './docs/grafana/board.ts';
import { problemTypesPage } from './docs/problem-types.ts';
import { settingsTables } from './docs/settings-table.ts';

/* npm run docs: writes the generated parts of the documentation, and the board of Grafana. */
function replaceGenerated(name: string, what: string, text: string): void {
  const file = new URL(`../docs/${name}`, import.meta.url);
  const generated = new RegExp(`(<!-- ${what}: .*?-->\\n).*?(<!-- end of ${what} -->)`, 's');
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace(
      generated,
      (_, begin: string, end: string) => `${begin}\n${text.trimEnd()}\n\n${end}`,
    ),
  );
}

replaceGenerated('configuration.md', 'settings', settingsTables());
replaceGenerated('runbook.md', 'conditions', conditionSections());
writeFileSync(new URL('../docs/problems.md', import.meta.url), problemTypesPage());
for (const file of ['deploy/grafana/linkmill.json', 'deploy/helm/linkmill/files/grafana.json'])
  writeFileSync(new URL(`../${file}`, import.meta.url), grafanaBoard());
