import type { ComponentChildren, ComponentType } from 'preact';
import { useState } from 'preact/hooks';
import { useShortcuts } from '../keyboard/shortcuts.ts';
import { Palette } from '../palette/palette.tsx';
import { basePath, navigate } from '../routing/router.ts';
import { sayProblem } from '../state/messages.ts';
import { service } from '../state/service.ts';
import { apiKey, signOut } from '../state/session.ts';
import { common } from '../texts/en/common.ts';
import { plain } from '../ui/format.ts';
import { Icon } from '../ui/icons.tsx';
import { Health } from './health.tsx';
import { Navigation } from './navigation.tsx';

const { nav } = common;

/** The frame of every screen: navigation, health, and who is signed in. */
export function Shell({ children }: { children: ComponentChildren }) {
  const [hasPalette, setPalette] = useState(false);
  const [Help, setHelp] = useState<ComponentType<{ onClose: () => void }>>();
  const openHelp = () =>
    void import('../keyboard/shortcuts-dialog.tsx').then(
      ({ ShortcutsDialog }) => setHelp(() => ShortcutsDialog),
      sayProblem,
    );
  useShortcuts({
    'Ctrl k': () => setPalette(true),
    '?': openHelp,
    'g l': () => navigate('/'),
    'g a': () => navigate('/analytics'),
    'g v': () => navigate('/live'),
    'g t': () => navigate('/tags'),
    'g o': () => navigate('/operations'),
    'g i': () => navigate('/transfers'),
    'g k': () => navigate('/keys'),
  });
  return (
    <div class="shell">
      <a class="skip" href="#main">
        {common.skip}
      </a>
      <header class="side">
        <div class="brand">
          <Icon name="link" />
          {service.value?.site_name ?? 'Linkmill'}
        </div>
        <Navigation />
        <div class="side-foot">
          <button type="button" class="side-item" onClick={() => setPalette(true)}>
            <Icon name="search" />
            {nav.commands}
          </button>
          <Health />
          <button type="button" class="side-item" onClick={openHelp}>
            <Icon name="keyboard" />
            {nav.shortcuts}
          </button>
          <a class="side-item" href={`${basePath}/docs`} target="_blank" rel="noopener">
            <Icon name="external" />
            {nav.apiDocs}
          </a>
          <button type="button" class="side-item" onClick={() => void signOut().catch(sayProblem)}>
            <Icon name="sign-out" />
            <span class="cut">
              {nav.signOut} <span class="quiet">{plain(apiKey.value?.name ?? '')}</span>
            </span>
          </button>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      {Help && <Help onClose={() => setHelp(undefined)} />}
      {hasPalette && <Palette onClose={() => setPalette(false)} />}
    </div>
  );
}
