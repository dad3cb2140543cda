import { readFileSync, writeFileSync } from 'node:fs';
import { problemTypesPage } from './docs/problem-types.ts';
import { settingsTables } from './docs/settings-table.ts';

/* npm run docs: writes the generated parts of the documentation. */
const file = new URL('../docs/configuration.md', import.meta.url);
const generated = /(<!-- settings: .*?-->\n).*?(<!-- end of settings -->)/s;
writeFileSync(
  file,
  readFileSync(file, 'utf8').replace(
    generated,
    (_, begin: string, end: string) => `${begin}\n${settingsTables()}\n\n${end}`,
  ),
);
writeFileSync(new URL('../docs/problems.md', import.meta.url), problemTypesPage());
