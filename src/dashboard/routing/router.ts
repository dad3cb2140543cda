import { computed, signal } from '@preact/signals';

/** Path of the base URL, which the server writes into the page. */
export const basePath = document.documentElement.dataset['basePath'] ?? '';

const root = `${basePath}/admin`;
/** Bull Board and single sign-on are pages of their own below the same path. */
const isForeign = (path: string) => /^\/(queues|sign-in\/)/.test(path.slice(root.length));

interface Place {
  /** Below `/admin`, such as `/links/spring`. */
  path: string;
  query: URLSearchParams;
}

const readPlace = (): Place => ({
  path: location.pathname.slice(root.length).replace(/\/$/, '') || '/',
  query: new URLSearchParams(location.search),
});

/** Where the user is. */
export const place = signal(readPlace());
export const path = computed(() => place.value.path);
export const query = computed(() => place.value.query);

/** The address of a screen. */
export const hrefOf = (to: string) => `${root}${to}`;
export const linkPath = (code: string) => `/links/${encodeURIComponent(code)}`;

/** Goes to a screen. */
export function navigate(to: string, options: { replace?: boolean } = {}): void {
  history[options.replace ? 'replaceState' : 'pushState'](null, '', hrefOf(to));
  place.value = readPlace();
  if (!options.replace) scrollTo(0, 0);
}

/** Changes parameters of the current screen; an empty value removes one. The cursor of another list is dropped. */
export function setQuery(
  changes: Record<string, string | readonly string[] | undefined>,
  replace = false,
): void {
  const next = new URLSearchParams(place.value.query);
  if (!('cursor' in changes)) next.delete('cursor');
  for (const [name, given] of Object.entries(changes)) {
    next.delete(name);
    for (const value of typeof given === 'string' ? [given] : (given ?? []))
      if (value !== '') next.append(name, value);
  }
  const text = next.toString();
  const { path } = place.value;
  navigate(`${path === '/' ? '/' : path}${text === '' ? '' : `?${text}`}`, { replace });
}

/** Follows links between screens without loading the page again. */
export function followLinks(): void {
  addEventListener('popstate', () => (place.value = readPlace()));
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest<HTMLAnchorElement>('a[href]');
    if (!link || link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin)
      return;
    if (!link.pathname.startsWith(`${root}/`) || isForeign(link.pathname)) return;
    if (link.hash !== '') return;
    event.preventDefault();
    navigate(link.pathname.slice(root.length) + link.search);
  });
}
