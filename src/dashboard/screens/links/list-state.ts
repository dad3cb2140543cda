import { computed, signal } from '@preact/signals';
import { call, get } from '../../api/client.ts';
import type { ShortUrl } from '../../api/types.ts';
import { query } from '../../routing/router.ts';

const pageSize = 50;
const dayMs = 86_400_000;

export const sorts = ['-created', 'created', '-clicks', '-last_click'] as const;
type Sort = (typeof sorts)[number];

/** The filter of `GET /api/v1/urls`, from the address. */
export const filter = computed(() => {
  const text = (name: string) => query.value.get(name) || undefined;
  const [state, days] = [text('state'), Number(text('created')) || undefined];
  const q = text('q');
  return {
    ...(q !== undefined && q.length >= 3 && { q }),
    ...(text('tag') && { tag: [text('tag')!] }),
    ...(text('host') && { host: text('host')! }),
    ...(text('key') && { created_by: Number(text('key')) }),
    ...(state === 'active' && { is_active: true }),
    ...(state === 'disabled' && { is_active: false }),
    ...(state === 'expired' && { expired: true }),
    ...(days && { created_from: startOfHour(Date.now() - days * dayMs) }),
  };
});

/** Without minutes, so that the filter and its cursors stay the same for a while. */
const startOfHour = (ms: number) => new Date(ms - (ms % 3_600_000)).toISOString();

export const hasFilter = computed(() => Object.keys(filter.value).length > 0);

export const sort = computed((): Sort => {
  const given = query.value.get('sort') as Sort | null;
  return given && sorts.includes(given) ? given : '-created';
});

/** Identifies what the list shows. */
export const listKey = computed(() => JSON.stringify([filter.value, sort.value, query.value.get('cursor')]));

export const loadPage = async (signal: AbortSignal) =>
  await get('/api/v1/urls', {
    query: {
      ...filter.value,
      sort: sort.value,
      limit: pageSize,
      cursor: query.value.get('cursor') ?? undefined,
    },
    signal,
  });

/** How many short URLs match. */
export const loadCount = async (signal: AbortSignal) =>
  await get('/api/v1/url-count', { query: filter.value, signal });

/** Clicks by day of the last 30 days, by short code. */
export async function loadTrends(codes: string[], signal: AbortSignal): Promise<Map<string, number[]>> {
  const { body } = await call('post', '/api/v1/analytics/urls', { body: { short_codes: codes }, signal });
  return new Map(body.items.map((item) => [item.short_code, item.clicks]));
}

/** All short URLs that match a filter. Its `created_before` excludes those that are created after the count. */
export interface Matching {
  /** Their number, as text. */
  count: string;
  filter: Record<string, unknown>;
}

/** The selected short codes, or all that match. */
export const selection = signal<ReadonlySet<string> | Matching>(new Set());

/** The selected short codes; undefined if all that match are selected. */
export const selectedCodes = computed(() => ('filter' in selection.value ? undefined : selection.value));

export const isSelected = (code: string) => selectedCodes.value?.has(code) ?? true;

/** Selects a short URL of a page, or no longer. Without one of all that match, the others of the page are selected. */
export function toggleSelected(code: string, page: readonly string[]): void {
  const next = new Set(selectedCodes.value ?? page);
  if (!next.delete(code)) next.add(code);
  selection.value = next;
}

export const clearSelection = () => (selection.value = new Set());

/** The short URL whose QR code is shown. */
export const shownQr = signal<ShortUrl | undefined>(undefined);

/** Increases when a change outside the list makes it outdated. */
export const listChanges = signal(0);
