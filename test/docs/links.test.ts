import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { anchorsOf, documents, readText } from './markdown.ts';

/** Links and images in a text outside of code, except absolute URLs and pages of the forge. */
const relativeLinksOf = (text: string): string[] =>
  [
    ...text
      .replaceAll(/^ *```[\s\S]*?^ *```$/gm, '')
      .replaceAll(/`[^`\n]*`/g, '')
      .matchAll(/\]\(([^)\s]+)\)/g),
  ]
    .map(([, link = '']) => link)
    .filter((link) => !/^https?:|^mailto:|^\.\.\/\.\.\/(actions|issues|security)/.test(link));

/** The problem with a link of a document; undefined if the link is valid. */
function problemOf(file: string, link: string): string | undefined {
  const [target = '', anchor] = link.split('#');
  const found = target === '' ? file : path.join(path.dirname(file), target);
  if (!existsSync(found)) return `${link}: no such file`;
  if (anchor === undefined) return undefined;
  if (statSync(found).isDirectory() || !anchorsOf(readText(found)).has(anchor))
    return `${link}: no such heading`;
  return undefined;
}

describe.each(documents)('%s', (file) => {
  test('each relative link points to an existing file and heading', () => {
    const problems = relativeLinksOf(readText(file)).map((link) => problemOf(file, link));
    expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
  });
});

test('each document in docs is linked from the README or from a page that it links', () => {
  const seen = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file) || !file.endsWith('.md') || !existsSync(file)) return;
    seen.add(file);
    for (const link of relativeLinksOf(readText(file)))
      visit(path.join(path.dirname(file), link.split('#')[0]!));
  };
  visit('README.md');
  expect(documents.filter((file) => file.startsWith('docs/') && !seen.has(file))).toEqual([]);
});
