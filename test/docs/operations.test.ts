import { expect, test } from 'vitest';
import { conditionSections } from '../../scripts/docs/conditions.ts';
import { conditionSeverities } from '../../src/resilience/conditions.ts';
import { guidance } from '../../src/resilience/troubles.ts';
import { readText, sectionOf } from './markdown.ts';

const file = 'docs/operations.md';
const runbook = readText('docs/runbook.md');
const rules = readText('deploy/prometheus/alerts.yml');

/** The first and second cells of the rows of all tables in a section, without backticks. */
const rowsOf = (section: string) =>
  [...section.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map(
    ([, first = '', second = '']) => [first, second.trim().replaceAll('`', '')] as const,
  );

test('the table of conditions lists each condition with its severity, and no other', () => {
  const documented = rowsOf(sectionOf(file, '### Conditions'));
  expect(Object.fromEntries(documented)).toEqual(conditionSeverities);
  expect(documented).toHaveLength(Object.keys(conditionSeverities).length);
});

test('the table of alerts lists each rule with its severity, and no other', () => {
  const blocks = rules.split('- alert: ').slice(1);
  const defined = blocks.map((block) => [block.split('\n', 1)[0]!, /severity: (\w+)/.exec(block)?.[1] ?? '']);
  expect(rowsOf(sectionOf(file, '### Alerts'))).toEqual(defined);
});

test('each metric in an alerting rule or an example is in the table of metrics', () => {
  const known = new Set(rowsOf(sectionOf(file, '## Metrics')).map(([name]) => name));
  const used = [...`${rules}\n${sectionOf(file, '## Metrics')}`.matchAll(/\blinkmill_[a-z_]+/g)].map(
    ([name]) => name,
  );
  const unknown = used.filter(
    (name) => !known.has(name) && !known.has(name.replace(/_(bucket|sum|count)$/, '')),
  );
  // "linkmill_postgres_…" in a sentence ends with a hyphen or underscore.
  expect(unknown.filter((name) => !name.endsWith('_'))).toEqual([]);
});

test('the sections about conditions equal those that the guidance generates', () => {
  // Otherwise run: npm run docs
  expect(runbook).toContain(conditionSections());
});

test('each condition has a title, an effect, an action and a heading in the runbook', () => {
  const headings = new Set([...runbook.matchAll(/^### (\S+)$/gm)].map(([, heading]) => heading));
  expect(Object.keys(conditionSeverities).filter((code) => !headings.has(code))).toEqual([]);
  const incomplete = Object.entries(guidance).filter(
    ([, { title, effect, action }]) => !title || !effect.endsWith('.') || !action.endsWith('.'),
  );
  expect(incomplete).toEqual([]);
});
