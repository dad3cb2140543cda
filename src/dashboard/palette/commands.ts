import { get } from '../api/client.ts';
import { linkPath, navigate } from '../routing/router.ts';
import { draft } from '../screens/links/create/create-state.ts';
import { usableScreens } from '../shell/screens.ts';
import { runJob } from '../state/run-job.ts';
import { may } from '../state/session.ts';
import { viewPath, views } from '../state/views.ts';
import { paletteTexts as texts } from '../texts/en/palette.ts';
import { plain, shortenUrl } from '../ui/format.ts';
import type { IconName } from '../ui/icons.tsx';

/** Something that the palette can do. */
export interface Command {
  icon: IconName;
  name: string;
  detail?: string;
  run: () => void;
}

const shownLinks = 6;
/** The search needs this many characters. */
const minSearch = 3;

const isUrl = (text: string) => /^(https?:\/\/)?[^\s/]+\.[^\s/]+\S*$/i.test(text);

/** Opens the links with a URL in the field; Enter creates the short URL. */
function fillField(url: string): void {
  navigate('/');
  draft.text.value = url;
  // The field exists once the screen is rendered.
  setTimeout(() => document.querySelector<HTMLElement>('#create-field')?.focus());
}

/** Commands whose name contains each word of the text. */
export function commandsFor(text: string, jobs: readonly string[]): Command[] {
  const words = text.toLowerCase().split(/\s+/);
  const screens = usableScreens().map(({ to, name, icon }): Command => ({
    icon,
    name: texts.open(name),
    run: () => navigate(to),
  }));
  const saved = views.value.map((view): Command => ({
    icon: 'search',
    name: texts.view(plain(view.name)),
    run: () => navigate(viewPath(view)),
  }));
  const runs = jobs.map((job): Command => ({
    icon: 'play',
    name: texts.runJob(job),
    run: () => void runJob(job),
  }));
  const matching = [...screens, ...saved, ...runs].filter(({ name }) =>
    words.every((word) => name.toLowerCase().includes(word)),
  );
  if (!isUrl(text) || !may('urls:write')) return matching;
  return [{ icon: 'plus', name: texts.shorten(text), run: () => fillField(text) }, ...matching];
}

/** Commands that open the links which the server finds. */
export async function findLinks(text: string, signal: AbortSignal): Promise<Command[]> {
  if (text.length < minSearch || !may('urls:read')) return [];
  const { items } = await get('/api/v1/urls', { query: { q: text, limit: shownLinks }, signal });
  return items.map(({ short_code: code, title, original_url: url }) => ({
    icon: 'link',
    name: plain(code),
    detail: title ? plain(title) : shortenUrl(url),
    run: () => navigate(linkPath(code)),
  }));
}

/** Names of the jobs that the API key may run, and that need no data. */
export async function loadJobs(signal: AbortSignal): Promise<string[]> {
  if (!may('jobs:run')) return [];
  const { items } = await get('/api/v1/queues', { signal });
  return items.flatMap(({ name, needs_data: needsData }) => (needsData ? [] : name));
}
