import { expect, test } from 'vitest';
import { settingNames, settingsTables } from '../../scripts/docs/settings-table.ts';
import { topicOf, topics } from '../../scripts/docs/topics.ts';
import { firstCellsOf, readText } from './markdown.ts';

const document = readText('docs/configuration.md');

test('the tables of settings equal those that the schemas generate', () => {
  // Otherwise run: npm run docs
  expect(document).toContain(settingsTables());
});

test('each setting is in exactly one table', () => {
  expect(settingNames.filter((name) => topicOf(name) === undefined)).toEqual([]);
  expect(firstCellsOf(document).toSorted()).toEqual(settingNames.toSorted());
});

test('each setting that a topic names exists', () => {
  const named = Object.values(topics).flatMap(({ settings }) => settings);
  const unused = named.filter(
    (one) => !settingNames.some((name) => (typeof one === 'string' ? one === name : one.test(name))),
  );
  expect(unused).toEqual([]);
});
