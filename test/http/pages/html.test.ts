import fc from 'fast-check';
import { expect, test } from 'vitest';
import { html, renderHtml } from '../../../src/http/pages/html.ts';

test('values in a template are escaped', () => {
  const page = html`<p title="${'"><script>alert(1)</script>'}">${`<b>&amp;' "`}</p>`;
  expect(renderHtml(page)).toBe(
    '<p title="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;">&lt;b&gt;&amp;amp;&#39; &quot;</p>',
  );
});

test('no text in a template can begin or end a tag, attribute or entity', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      return !/[<>"']|&(?!amp;|lt;|gt;|quot;|#39;)/.test(renderHtml(html`${text}`));
    }),
  );
});

test('templates nest unescaped, lists are joined, and undefined inserts nothing', () => {
  const items = ['<1>', '<2>'].map((item) => html`<i>${item}</i>`);
  expect(renderHtml(html`<b>${items}${undefined}${3}</b>`)).toBe('<b><i>&lt;1&gt;</i><i>&lt;2&gt;</i>3</b>');
});

test('an object that looks like a template is escaped', () => {
  const forged = JSON.parse('{"markup": "<script>"}') as never;
  expect(renderHtml(html`${forged}`)).not.toContain('<script>');
});
