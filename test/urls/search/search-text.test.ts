import { expect, test } from 'vitest';
import {
  foldText,
  readableUrl,
  searchPatternsOf,
  searchTextOf,
} from '../../../src/urls/search-text/search-text.ts';

test.each([
  ['https://xn--bcher-kva.example/stra%C3%9Fe?ort=K%C3%B6ln', 'https://bücher.example/straße?ort=Köln'],
  ['https://www.xn--bcher-kva.example/', 'https://www.bücher.example/'],
  ['https://xn--wgv71a119e.xn--zckzah/%F0%9F%98%80', 'https://日本語.テスト/😀'],
  ['https://example.com/%ff%41', 'https://example.com/%ff%41'],
  ['https://example.com/%00%0A', 'https://example.com/%00%0A'],
  ['https://example.com/100%25', 'https://example.com/100%'],
  ['https://example.com/no-xn--label', 'https://example.com/no-xn--label'],
  ['https://xn--a/', 'https://xn--a/'],
])('%s is displayed as %s', (url, readable) => {
  expect(readableUrl(url)).toBe(readable);
});

test.each([
  ['KÖLN', 'köln'],
  ['Ko\u0308ln', 'köln'],
  ['STRASSE', 'straße'],
  ['ΣΊΣΥΦΟΣ', 'σίσυφος'],
  ['İstanbul', 'istanbul'],
  ['ＢＯＯＫ', 'book'],
  ['МОСКВА', 'москва'],
  ['ﬁsh', 'FISH'],
])('"%s" and "%s" fold to the same text', (one, other) => {
  expect(foldText(one)).toBe(foldText(other));
});

test('printable ASCII folds as it does beside other characters', () => {
  const text = String.fromCharCode(...Array.from({ length: 95 }, (_, i) => 32 + i));
  expect(foldText(`${text}é`)).toBe(`${foldText(text)}é`);
});

const url = {
  shortCode: 'aB3xY9z',
  originalUrl: 'https://xn--bcher-kva.example/stra%C3%9Fe?q=new+york&ort=K%C3%B6ln&rabatt=100%25_a',
  title: 'Über uns',
  tags: ['Größe', 'Été'],
};
const finds = (text: string) => {
  const likeOf = (pattern: string) => pattern.slice(1, -1).replaceAll(/\\(.)/g, '$1');
  return searchPatternsOf(text).some((pattern) => searchTextOf(url).includes(likeOf(pattern)));
};

test.each([
  'ab3',
  'bücher',
  'BÜCHER.example/straße',
  'xn--bcher',
  'stra%C3%9Fe',
  'stra%c3%9fe',
  'xn--bcher-kva.example/straße',
  'bücher.example/stra%C3%9Fe',
  'Köln',
  'Ko\u0308ln',
  'new york',
  'new+york',
  'über UNS',
  'GRÖSSE',
  'été',
  '100%_a',
])('a search for "%s" finds another spelling', (text) => {
  expect(finds(text)).toBe(true);
});

test.each(['munich', 'uns gr', 'aB3xY9zÜber'])('a search for "%s" finds nothing', (text) => {
  expect(finds(text)).toBe(false);
});

test('a search text contains no characters that PostgreSQL rejects', () => {
  const text = searchTextOf({ ...url, title: 'a\u0000b\ud800c\nd', tags: ['\u0007'] });
  expect(text.split('\n').filter((line) => /[\p{Cc}\p{Cs}]/u.test(line))).toEqual([]);
  expect(text).toContain('a b c d');
});
