import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { conditionSeverities } from '../../src/resilience/conditions.ts';

const document = readFileSync('docs/operations.md', 'utf8');
const rules = readFileSync('deploy/prometheus/alerts.yml', 'utf8');

/** What stands below a heading, up to the next one of the same depth or less. */
function sectionOf(heading: string): string {
  const depth = heading.indexOf(' ');
  const [, section = ''] = document.split(`\n${heading}\n`);
  return section.split(new RegExp(`\\n#{1,${depth}} `))[0] ?? '';
}

/** The first cells of the rows of the tables in a section, without backticks, and the second ones. */
const rowsOf = (section: string) =>
  [...section.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map(
    ([, first = '', second = '']) => [first, second.trim().replaceAll('`', '')] as const,
  );

test('the table of conditions names each condition with its severity, and no other', () => {
  const documented = rowsOf(sectionOf('## Health and conditions'));
  expect(Object.fromEntries(documented)).toEqual(conditionSeverities);
  expect(documented).toHaveLength(Object.keys(conditionSeverities).length);
});

test('the table of alerts names each rule with its severity, and no other', () => {
  const blocks = rules.split('- alert: ').slice(1);
  const defined = blocks.map((block) => [block.split('\n', 1)[0]!, /severity: (\w+)/.exec(block)?.[1] ?? '']);
  expect(rowsOf(sectionOf('### Alerts'))).toEqual(defined);
});

test('each metric in a rule and in an example is in the table of metrics', () => {
  const known = new Set(rowsOf(sectionOf('## Metrics')).map(([name]) => name));
  const used = [...`${rules}\n${sectionOf('## Metrics')}`.matchAll(/\blinkmill_[a-z_]+/g)].map(
    ([name]) => name,
  );
  const unknown = used.filter(
    (name) => !known.has(name) && !known.has(name.replace(/_(bucket|sum|count)$/, '')),
  );
  // "linkmill_postgres_…" in a sentence ends with a hyphen or underscore.
  expect(unknown.filter((name) => !name.endsWith('_'))).toEqual([]);
});
