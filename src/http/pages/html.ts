const markup = Symbol('markup');

/** Text that is safe as it stands in a page. */
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

/** Makes HTML of a template. What is put in is shown as it is and never read as markup, in text and in quoted attributes; what
 *  this function made before is taken over, `undefined` leaves nothing. */
export function html(parts: TemplateStringsArray, ...contents: Content[]): Html {
  return { [markup]: parts.reduce((text, part, i) => text + toMarkup(contents[i - 1]) + part) };
}

/** Takes text of our own for markup. */
export const trustedHtml = (text: string): Html => ({ [markup]: text });

/** The text of a page that is finished. */
export const renderHtml = (page: Html): string => page[markup];

function toMarkup(content: Content): string {
  if (content === undefined) return '';
  if (Array.isArray(content)) return content.map(toMarkup).join('');
  if (typeof content === 'object') return content[markup];
  return String(content).replace(/[&<>"']/g, (character) => replacements[character]!);
}
