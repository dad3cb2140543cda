import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { documents, readText } from './markdown.ts';

/** Phrases that docs/glossary.md replaces. */
const phrases = [
  'by heart',
  'all the same',
  'in vain',
  'so many',
  'lead nowhere',
  'leads nowhere',
  'for ever',
  'heard of',
  'in hand',
  'stands still',
  'told apart',
];

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

test.each(phrases)('no source file contains "%s"', (phrase) => {
  expect(linesWith(sources, phrase)).toEqual([]);
});

test('no document contains a phrase that the glossary replaces', () => {
  const current = documents.filter((file) => !/^(CHANGELOG|docs\/glossary)\.md$/.test(file));
  expect(phrases.flatMap((phrase) => linesWith(current, phrase))).toEqual([]);
});
