import { useState } from 'preact/hooks';
import { hrefOf, path } from '../routing/router.ts';
import { common } from '../texts/en/common.ts';
import { Icon } from '../ui/icons.tsx';
import { usableScreens } from './screens.ts';

const { nav } = common;

const isCurrent = (to: string) =>
  to === '/' ? path.value === '/' || path.value.startsWith('/links/') : path.value.startsWith(to);

/** The screens that the API key can use. On a phone it is a bar at the bottom, with "More" for the rest. */
export function Navigation() {
  const [hasMore, setMore] = useState(false);
  return (
    <nav class={hasMore ? 'nav has-more' : 'nav'} aria-label={nav.label}>
      {usableScreens().map(({ to, name, icon, isSecondary }) => (
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
