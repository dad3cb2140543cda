import type { ComponentChildren, ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ShortcutsDialog } from '../keyboard/shortcuts-dialog.tsx';
import { useShortcuts } from '../keyboard/shortcuts.ts';
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

/** Keys that are typed while the palette loads would be lost, so it is loaded soon after the first screen. */
const preloadMs = 2_000;
const loadPalette = async () => await import('../palette/palette.tsx');

/** The frame of every screen: navigation, health, and who is signed in. */
export function Shell({ children }: { children: ComponentChildren }) {
  const [hasHelp, setHelp] = useState(false);
  const [Palette, setPalette] = useState<ComponentType<{ onClose: () => void }>>();
  const openPalette = () => void loadPalette().then((module) => setPalette(() => module.Palette), sayProblem);
  useEffect(() => {
    // A failure is said when the palette is opened.
    const timer = setTimeout(() => void loadPalette().catch(() => undefined), preloadMs);
    return () => clearTimeout(timer);
  }, []);
  useShortcuts({
    'Ctrl k': openPalette,
    '?': () => setHelp(true),
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
          <button type="button" class="side-item" onClick={openPalette}>
            <Icon name="search" />
            {nav.commands}
          </button>
          <Health />
          <button type="button" class="side-item" onClick={() => setHelp(true)}>
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
      {hasHelp && <ShortcutsDialog onClose={() => setHelp(false)} />}
      {Palette && <Palette onClose={() => setPalette(undefined)} />}
    </div>
  );
}
