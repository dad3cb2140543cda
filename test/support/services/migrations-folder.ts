import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { track } from '../resources.ts';

const sources = path.resolve('src/storage/schema');

/** A migration of a later version: the text of its file without imports. */
export const addColumn = (column: string, extra = '') => `${extra}
export async function up(db) { await db.raw('alter table urls add ${column} text'); }
export async function down(db) { await db.raw('alter table urls drop ${column}'); }
`;

/** A migration that builds an index on `urls` while the table is written. */
export const addIndex = (name: string, definition: string, schemaFolder = sources, extension = 'ts') => `
import { createIndexConcurrently, dropIndexConcurrently } from '${schemaFolder}/concurrent-index.${extension}';
export const transaction = false;
export async function up(db) { await createIndexConcurrently(db, { name: '${name}', definition: '${definition}' }); }
export async function down(db) { await dropIndexConcurrently(db, '${name}'); }
`;

/** A copy of the migrations with those of a later version (names and texts of files). */
export async function copyMigrations(later: Record<string, string>) {
  // Below the checkout, so that migrations find their packages.
  const folder = await mkdtemp(path.resolve('.cache/migrations-'));
  const closed = track('migrations folder');
  await cp(path.resolve('migrations'), folder, { recursive: true });
  // Their imports of sources need another `../`.
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll(`'../src/`, `'../../src/`));
  }
  for (const [name, text] of Object.entries(later)) await writeFile(path.join(folder, `${name}.ts`), text);
  return {
    url: pathToFileURL(`${folder}/`),
    remove: async () => {
      await rm(folder, { recursive: true });
      closed();
    },
  };
}
