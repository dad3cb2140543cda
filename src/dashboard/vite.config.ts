import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const outDir = fileURLToPath(new URL('../../dist/dashboard/', import.meta.url));

/** Writes `.br` and `.gz` beside each file, and `manifest.json` with their sizes in bytes. */
const compressFiles = (): Plugin => ({
  name: 'compress-files',
  apply: 'build',
  writeBundle({ dir }) {
    const folder = dir!;
    const names = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
      .toSorted();
    const files = names.map((name) => {
      const content = readFileSync(path.join(folder, name));
      const [gzip, br] = [gzipSync(content, { level: 9 }), brotliCompressSync(content)];
      writeFileSync(path.join(folder, `${name}.gz`), gzip);
      writeFileSync(path.join(folder, `${name}.br`), br);
      return [name, { bytes: content.length, gzip: gzip.length, br: br.length }] as const;
    });
    const manifest = { files: Object.fromEntries(files) };
    writeFileSync(path.join(folder, 'manifest.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  },
});

/** The dev server forwards everything else to a running service, with an API key instead of a session. */
const { LINKMILL_URL = 'http://localhost:3000', LINKMILL_API_KEY } = process.env;

export default defineConfig(({ command }) => ({
  base: command === 'serve' ? '/admin/' : './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2022',
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // Fewer, larger files compress better: the first screen, screens about clicks, and screens about the service.
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'first', test: /node_modules|dashboard.(main|screens.links.)/, priority: 1 },
            { name: 'clicks', test: /screens.(link|analytics|live)./ },
            {
              name: 'manage',
              test: /shortcuts-dialog|screens.(tags|trash|reports|keys|transfers|operations)./,
            },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      '^/(api/|health|docs|openapi)': {
        target: LINKMILL_URL,
        ...(LINKMILL_API_KEY && { headers: { 'x-api-key': LINKMILL_API_KEY } }),
      },
    },
  },
  plugins: [compressFiles()],
}));
