import { signal } from '@preact/signals';

/** A setting of this browser, as text. All its tabs share it. */
export function preference(name: string, initial: string) {
  const key = `linkmill.${name}`;
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(key);
  } catch {
    // Storage can be forbidden: the setting then lasts as long as the page.
  }
  const value = signal(stored ?? initial);
  value.subscribe((text) => {
    try {
      if (text === initial) localStorage.removeItem(key);
      else localStorage.setItem(key, text);
    } catch {
      // As above.
    }
  });
  addEventListener('storage', (event) => {
    if (event.key === key) value.value = event.newValue ?? initial;
  });
  return value;
}

/** Whether single letters are keyboard shortcuts (WCAG 2.1.4): `on` or `off`. */
export const letterKeys = preference('letter-keys', 'on');
/** IANA time zone of charts: `local` or `UTC`. */
export const chartZone = preference('chart-zone', 'local');
