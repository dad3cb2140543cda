import { expect, test } from 'vitest';
import { jobNames, jobs } from '../../src/queues/jobs.ts';
import { firstCellsOf, readText } from './markdown.ts';

const document = readText('docs/jobs.md');

test('the table of jobs lists every job in the order of the catalogue, and no other', () => {
  expect(firstCellsOf(document)).toEqual(jobNames);
});

test('the table of jobs names the data of each job', () => {
  const wrong = jobNames.filter((name) => {
    const row = document.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
    const names = [...(row?.split('|').at(-2) ?? '').matchAll(/`(\w+)`/g)].map(([, field]) => field);
    return names.join() !== Object.keys(jobs[name].data.shape).join();
  });
  expect(wrong).toEqual([]);
});

test('the diagram of the architecture names every job', () => {
  const [diagram = ''] = /```mermaid[\s\S]*?```/.exec(readText('docs/architecture.md')) ?? [];
  expect(jobNames.filter((name) => !diagram.includes(name))).toEqual([]);
});

test('the diagram of the README has the number of jobs', () => {
  expect(readText('README.md')).toContain(`${jobNames.length} jobs`);
});
