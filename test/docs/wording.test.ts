import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { documents, readText } from './markdown.ts';

/** Phrases that docs/glossary.md replaces, and how many places of the code still have them. Lower a number when a place is mended. */
const phrases: Record<string, number> = {
  'by heart': 5,
  'all the same': 4,
  'in vain': 2,
  'so many': 10,
  'lead nowhere': 2,
  'leads nowhere': 2,
  'for ever': 3,
  'heard of': 2,
  'in hand': 6,
  'stands still': 5,
  'told apart': 0,
};

const sources = ['src', 'workers', 'migrations', 'scripts', 'bench'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${folder}/${file}`),
);

const linesWith = (files: string[], phrase: string) =>
  files.flatMap((file) =>
    readText(file)
      .split('\n')
      .filter((line) => new RegExp(`\\b${phrase}\\b`, 'i').test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );

test.each(Object.entries(phrases))('no further source file says "%s"', (phrase, allowed) => {
  const found = linesWith(sources, phrase);
  expect(found.slice(allowed)).toEqual([]);
});

test('no document says a phrase that the glossary replaces', () => {
  const current = documents.filter((file) => !/^(CHANGELOG|docs\/glossary)\.md$/.test(file));
  expect(Object.keys(phrases).flatMap((phrase) => linesWith(current, phrase))).toEqual([]);
});
