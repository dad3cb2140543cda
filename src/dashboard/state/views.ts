import { computed } from '@preact/signals';
import { basePath, query } from '../routing/router.ts';
import { preference } from './preferences.ts';

/** A search, filters and a sort order of Links that have a name. */
export interface View {
  name: string;
  /** The query of its address. */
  query: string;
}

/** The parameters of a view. A cursor would soon be of another list. */
const parameters = ['q', 'state', 'tag', 'host', 'key', 'created', 'sort'];

/** Several services below one host share the storage of a browser. */
const stored = preference(`views${basePath}`, '[]');

const isView = (value: unknown): value is View => {
  const { name, query } = (value ?? {}) as Partial<View>;
  return typeof name === 'string' && typeof query === 'string';
};

function parse(text: string): View[] {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.filter(isView) : [];
  } catch {
    return [];
  }
}

/** The saved views of this browser, in the order in which they were saved. */
export const views = computed(() => parse(stored.value));

export const setViews = (list: readonly View[]) => (stored.value = JSON.stringify(list));

/** The query of the view that Links shows; empty for all links, newest first. */
export const currentView = computed(() =>
  new URLSearchParams(
    parameters.flatMap((name) => {
      const value = query.value.get(name);
      return value ? [[name, value]] : [];
    }),
  ).toString(),
);

/** The path of a view. */
export const viewPath = ({ query }: View) => `/?${query}`;
