import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { html as escaped, renderHtml } from '../pages/html.ts';
import { createStaticFile, type StaticFile } from './static-file.ts';

/** The list of files that the build of the dashboard writes. */
const manifestSchema = z.object({
  files: z.record(z.string(), z.object({ bytes: z.int(), gzip: z.int(), br: z.int() })),
});

export interface DashboardFiles {
  /** The page of every screen, without its compressed variants for this base path. */
  index: StaticFile;
  /** Files by their path below `/admin/`. Nothing outside this table is ever read. */
  files: ReadonlyMap<string, StaticFile>;
}

/** The folder of the built dashboard: beside `src` in a build, in `dist` in a checkout. */
const folderUrl = new URL(
  import.meta.url.endsWith('.ts') ? '../../../dist/dashboard/' : '../../../dashboard/',
  import.meta.url,
);

/** Reads the built dashboard into memory; undefined if it is not built. The page names the provider of single sign-on, if
 *  there is one. */
export function readDashboardFiles(
  page: { basePath: string; providerName?: string | undefined },
  folder = fileURLToPath(folderUrl),
): DashboardFiles | undefined {
  const read = (name: string) => readFileSync(path.join(folder, name));
  const manifest = readManifest(read);
  if (manifest === undefined) return undefined;
  const files = new Map<string, StaticFile>();
  for (const name of Object.keys(manifest.files)) {
    if (name === 'index.html') continue;
    files.set(name, createStaticFile(name, read(name), { br: read(`${name}.br`), gzip: read(`${name}.gz`) }));
  }
  return { index: createIndex(read('index.html').toString(), page), files };
}

function readManifest(read: (name: string) => Buffer): z.output<typeof manifestSchema> | undefined {
  try {
    return manifestSchema.parse(JSON.parse(read('manifest.json').toString()));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The page names its files relative to itself, but answers at many paths: they become absolute, below the base path. */
function createIndex(
  html: string,
  { basePath, providerName = '' }: Parameters<typeof readDashboardFiles>[0],
): StaticFile {
  const page = Buffer.from(
    html
      .replaceAll(/(href|src)="\.\//g, `$1="${basePath}/admin/`)
      .replace('data-base-path=""', `data-base-path="${basePath}"`)
      .replace('data-provider=""', () => renderHtml(escaped`data-provider="${providerName}"`)),
  );
  return createStaticFile('index.html', page, { br: brotliCompressSync(page), gzip: gzipSync(page) });
}
