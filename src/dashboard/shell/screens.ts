import { may } from '../state/session.ts';
import type { Scope } from '../state/session.ts';
import { common } from '../texts/en/common.ts';
import type { IconName } from '../ui/icons.tsx';

const { nav } = common;

interface ScreenLink {
  to: string;
  name: string;
  icon: IconName;
  /** The scope that its screen needs. */
  scope?: Scope;
  /** Whether a phone shows it behind "More". */
  isSecondary?: boolean;
}

const screens: ScreenLink[] = [
  { to: '/', name: nav.links, icon: 'link' },
  { to: '/analytics', name: nav.analytics, icon: 'analytics', scope: 'stats:read' },
  { to: '/live', name: nav.live, icon: 'live', scope: 'stats:read' },
  { to: '/operations', name: nav.operations, icon: 'operations' },
  { to: '/tags', name: nav.tags, icon: 'tag', isSecondary: true },
  { to: '/transfers', name: nav.transfers, icon: 'transfers', isSecondary: true },
  { to: '/trash', name: nav.trash, icon: 'trash', isSecondary: true },
  { to: '/reports', name: nav.reports, icon: 'flag', scope: 'admin', isSecondary: true },
  { to: '/keys', name: nav.keys, icon: 'key', isSecondary: true },
];

/** The screens that the API key can use, in their order. */
export const usableScreens = () => screens.filter(({ scope }) => !scope || may(scope));
