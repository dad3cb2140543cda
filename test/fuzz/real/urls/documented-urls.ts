import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../../../node_modules/', import.meta.url));
const maxUrls = 20_000;

/** The distinct URLs in the documents of the installed packages. */
export function* readDocumentedUrls(): Generator<string> {
  const seen = new Set<string>();
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => /(?:^|\/)(?:readme|changelog)\.md$/i.test(name))) {
    const text = readFileSync(path.join(folder, file), 'utf8');
    for (const [url] of text.matchAll(/https?:\/\/[^\s"'<>()[\]`\\|{}*]+/g)) {
      if (seen.has(url) || seen.size >= maxUrls) continue;
      seen.add(url);
      yield url;
    }
  }
}
