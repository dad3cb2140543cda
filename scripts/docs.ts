import { readFileSync, writeFileSync } from 'node:fs';
import { settingsTable } from './docs/settings-table.ts';

/* npm run docs: writes into the README what is made from the code. */
const readme = new URL('../README.md', import.meta.url);
const text = readFileSync(readme, 'utf8');
const made = /(<!-- settings: .*?-->\n).*?(<!-- end of settings -->)/s;
writeFileSync(
  readme,
  text.replace(made, (_, begin: string, end: string) => `${begin}\n${settingsTable()}\n\n${end}`),
);
