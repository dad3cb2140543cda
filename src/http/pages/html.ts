const markup = Symbol('markup');

/** Markup that is safe to insert into a page. */
export interface Html {
  readonly [markup]: string;
}

type Content = Html | string | number | undefined | Content[];

const replacements: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Builds HTML from a template. Inserted values are escaped for text and quoted attributes, except results of this function;
 *  `undefined` inserts nothing. */
export function html(parts: TemplateStringsArray, ...contents: Content[]): Html {
  return { [markup]: parts.reduce((text, part, i) => text + toMarkup(contents[i - 1]) + part) };
}

/** Marks a constant as markup, without escaping. */
export const trustedHtml = (text: string): Html => ({ [markup]: text });

/** Shows the parts of a text between backticks as code. */
export const withCode = (text: string): Content =>
  text.split('`').map((part, i) => (i % 2 === 0 ? part : html`<code>${part}</code>`));

/** The text of a complete page. */
export const renderHtml = (page: Html): string => page[markup];

function toMarkup(content: Content): string {
  if (content === undefined) return '';
  if (Array.isArray(content)) return content.map(toMarkup).join('');
  if (typeof content === 'object') return content[markup];
  return String(content).replace(/[&<>"']/g, (character) => replacements[character]!);
}
