import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { LinksScreen } from '../screens/links/links.tsx';
import { common } from '../texts/en/common.ts';
import { Empty, ProblemNote, Screen } from '../ui/screen.tsx';
import { hrefOf, path } from './router.ts';

type ScreenType = ComponentType<{ code: string }>;

/** Screens beyond the first, each a file of its own that loads when it is opened. */
const lazyScreens: Record<string, () => Promise<ScreenType>> = {
  links: async () => (await import('../screens/link/link.tsx')).LinkScreen,
  analytics: async () => (await import('../screens/analytics/analytics.tsx')).AnalyticsScreen,
  print: async () => (await import('../screens/link/print.tsx')).PrintScreen,
  live: async () => (await import('../screens/live/live.tsx')).LiveScreen,
  operations: async () => (await import('../screens/operations/operations.tsx')).OperationsScreen,
  tags: async () => (await import('../screens/tags/tags.tsx')).TagsScreen,
  transfers: async () => (await import('../screens/transfers/transfers.tsx')).TransfersScreen,
  trash: async () => (await import('../screens/trash/trash.tsx')).TrashScreen,
  reports: async () => (await import('../screens/reports/reports.tsx')).ReportsScreen,
  keys: async () => (await import('../screens/keys/keys.tsx')).KeysScreen,
};

const loaded = new Map<string, ScreenType>([['', LinksScreen]]);

/** The screen of the current path. */
export function ScreenOf() {
  const [, name = '', code = ''] = path.value.split('/');
  const [, setTurn] = useState(0);
  const [problem, setProblem] = useState<unknown>();
  const load = lazyScreens[name];
  useEffect(() => {
    if (loaded.has(name) || !load) return;
    setProblem(undefined);
    load().then((screen) => {
      loaded.set(name, screen);
      setTurn((n) => n + 1);
    }, setProblem);
  }, [name]);

  const Current = loaded.get(name);
  if (Current) return <Current key={name} code={decodeURIComponent(code)} />;
  if (problem !== undefined) return <ProblemNote problem={problem} onRetry={() => location.reload()} />;
  if (load) return <div class="screen" aria-busy="true" />;
  return (
    <Screen title={common.nav.notFound}>
      <Empty title={common.nav.notFound}>
        <a class="button" href={hrefOf('/')}>
          {common.nav.toLinks}
        </a>
      </Empty>
    </Screen>
  );
}
