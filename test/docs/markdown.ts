import { readdirSync, readFileSync } from 'node:fs';

/** Every document of the repository. */
export const documents = [
  ...readdirSync('.'),
  ...['.github', 'bench', 'docs'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`),
  ),
]
  .filter((file) => file.endsWith('.md'))
  .toSorted();

export const readText = (file: string): string => readFileSync(file, 'utf8');

/** The text below a heading such as `## Jobs`, up to the next heading of the same or a higher level. A line that begins
 *  with one `#` is the title, or a comment in a code block. */
export function sectionOf(file: string, heading: string): string {
  const [, section] = `\n${readText(file)}`.split(`\n${heading}\n`);
  if (section === undefined) throw new Error(`${file} has no heading "${heading}"`);
  return section.split(new RegExp(`\\n#{2,${heading.indexOf(' ')}} `))[0]!;
}

/** The first cells of all table rows in a text that are code, without backticks. */
export const firstCellsOf = (text: string): string[] =>
  [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell = '']) => cell);

/** The fenced code blocks of one language in a text, without their indentation. */
export function blocksOf(text: string, language: string): string[] {
  const blocks = text.matchAll(new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^\\1\`\`\`$`, 'gm'));
  return [...blocks].map(([, indent = '', block = '']) =>
    block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
}

/** The anchors that GitHub generates for the headings of a document. */
export function anchorsOf(text: string): Set<string> {
  const seen = new Map<string, number>();
  const withoutBlocks = text.replaceAll(/^```[\s\S]*?^```$/gm, '');
  const headings = [...withoutBlocks.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) => {
      const slug = heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(/\s/g, '-');
      const times = seen.get(slug) ?? 0;
      seen.set(slug, times + 1);
      return times === 0 ? slug : `${slug}-${times}`;
    }),
  );
}
