import type { StoredApiKey } from '../api-keys/api-key.ts';
import { prefixOf } from '../api-keys/key-secret.ts';

const characters = new Intl.Segmenter();
const headings = ['ID', 'NAME', 'KEY', 'SCOPES', 'CREATED', 'LAST USED', 'STATE'];

/** Formats API keys as a table with aligned columns. */
export function formatTable(keys: StoredApiKey[]): string {
  const rows = [headings, ...keys.map(cellsOf)];
  const widths = headings.map((_, column) => Math.max(...rows.map((cells) => widthOf(cells[column]!))));
  return rows
    .map((cells) =>
      cells
        .map((cell, column) => cell + ' '.repeat(widths[column]! - widthOf(cell)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** An API key in JSON, with the field names of the API; never its secret. */
export function toJson(key: StoredApiKey) {
  return {
    id: key.id,
    name: key.name,
    prefix: key.publicPart === null ? null : prefixOf(key.publicPart),
    person: key.person,
    scopes: key.scopes,
    own_urls_only: key.ownUrlsOnly,
    created_at: key.createdAt,
    last_used_at: key.lastUsedAt ?? null,
    expires_at: key.expiresAt ?? null,
    revoked_at: key.revokedAt ?? null,
  };
}

function cellsOf(key: StoredApiKey): string[] {
  return [
    String(key.id),
    key.name,
    key.publicPart === null ? 'person' : `${prefixOf(key.publicPart)}_…`,
    key.scopes.join(',') + (key.ownUrlsOnly ? ' (own URLs only)' : ''),
    key.createdAt.toISOString(),
    key.lastUsedAt?.toISOString() ?? 'never',
    stateOf(key),
  ];
}

/** The width in grapheme clusters. */
function widthOf(cell: string): number {
  return Array.from(characters.segment(cell)).length;
}

function stateOf({ revokedAt, expiresAt }: StoredApiKey): string {
  if (revokedAt) return `revoked ${revokedAt.toISOString()}`;
  if (!expiresAt) return 'valid';
  return `${expiresAt > new Date() ? 'valid until' : 'expired'} ${expiresAt.toISOString()}`;
}
