import { useState } from 'preact/hooks';
import { isAvailable } from '../api/available.ts';
import { hrefOf, path } from '../routing/router.ts';
import { may } from '../state/session.ts';
import type { Scope } from '../state/session.ts';
import { common } from '../texts/en/common.ts';
import { Icon, type IconName } from '../ui/icons.tsx';

const { nav } = common;

interface Item {
  to: string;
  name: string;
  icon: IconName;
  scope?: Scope;
  /** A path of the API that the screen needs. */
  needs?: `/api/v1/${string}`;
  /** Whether a phone shows it behind "More". */
  isSecondary?: boolean;
}

const items: Item[] = [
  { to: '/', name: nav.links, icon: 'link' },
  { to: '/analytics', name: nav.analytics, icon: 'analytics', scope: 'stats:read' },
  { to: '/live', name: nav.live, icon: 'live', scope: 'stats:read' },
  { to: '/operations', name: nav.operations, icon: 'operations' },
  { to: '/tags', name: nav.tags, icon: 'tag', isSecondary: true },
  { to: '/transfers', name: nav.transfers, icon: 'transfers', isSecondary: true },
  { to: '/trash', name: nav.trash, icon: 'trash', needs: '/api/v1/urls/deleted', isSecondary: true },
  { to: '/reports', name: nav.reports, icon: 'flag', scope: 'admin', isSecondary: true },
  { to: '/keys', name: nav.keys, icon: 'key', isSecondary: true },
];

const isCurrent = (to: string) =>
  to === '/' ? path.value === '/' || path.value.startsWith('/links/') : path.value.startsWith(to);

/** The screens that the API key can use. On a phone it is a bar at the bottom, with "More" for the rest. */
export function Navigation() {
  const [hasMore, setMore] = useState(false);
  return (
    <nav class={hasMore ? 'nav has-more' : 'nav'} aria-label={nav.label}>
      {items
        .filter(({ scope, needs }) => (!scope || may(scope)) && (!needs || isAvailable(needs)))
        .map(({ to, name, icon, isSecondary }) => (
          <a
            key={to}
            class={isSecondary ? 'side-item is-secondary' : 'side-item'}
            href={hrefOf(to)}
            aria-current={isCurrent(to) ? 'page' : undefined}
            onClick={() => setMore(false)}
          >
            <Icon name={icon} />
            {name}
          </a>
        ))}
      <button
        type="button"
        class="side-item nav-more"
        aria-expanded={hasMore}
        onClick={() => setMore(!hasMore)}
      >
        <Icon name="more" />
        {nav.more}
      </button>
    </nav>
  );
}
