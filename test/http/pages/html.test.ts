import fc from 'fast-check';
import { expect, test } from 'vitest';
import { html, renderHtml } from '../../../src/http/pages/html.ts';

test('what is put into a template is never read as markup', () => {
  const page = html`<p title="${'"><script>alert(1)</script>'}">${`<b>&amp;' "`}</p>`;
  expect(renderHtml(page)).toBe(
    '<p title="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;">&lt;b&gt;&amp;amp;&#39; &quot;</p>',
  );
});

test('whatever text is put in, none of its characters could begin or end a tag, an attribute or an entity', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      return !/[<>"']|&(?!amp;|lt;|gt;|quot;|#39;)/.test(renderHtml(html`${text}`));
    }),
  );
});

test('templates are put into templates as they are, lists one behind the other, and nothing leaves nothing', () => {
  const items = ['<1>', '<2>'].map((item) => html`<i>${item}</i>`);
  expect(renderHtml(html`<b>${items}${undefined}${3}</b>`)).toBe('<b><i>&lt;1&gt;</i><i>&lt;2&gt;</i>3</b>');
});

test('what only looks like a template, as a body of JSON may, is not taken for one', () => {
  const forged = JSON.parse('{"markup": "<script>"}') as never;
  expect(renderHtml(html`${forged}`)).not.toContain('<script>');
});
