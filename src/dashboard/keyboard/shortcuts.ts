import { useLayoutEffect, useRef } from 'preact/hooks';
import { letterKeys } from '../state/preferences.ts';

type Shortcuts = Record<string, () => void>;

const layers: { current: Shortcuts }[] = [];
/** How long after `g` a second letter chooses a screen, in milliseconds. */
const sequenceMs = 1_200;
let prefixUntil = 0;

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    (target.matches('input, textarea, select') &&
      !target.matches('input[type=checkbox], input[type=radio]')));

/** The shortcut that a key without Ctrl is, alone or after `g`; undefined for a key that belongs to a field. */
function readKey({ key, target }: KeyboardEvent): string | undefined {
  if (isTyping(target)) return undefined;
  if (key.length === 1 && letterKeys.peek() === 'off') return undefined;
  const isSecond = performance.now() < prefixUntil;
  prefixUntil = key === 'g' && !isSecond ? performance.now() + sequenceMs : 0;
  if (prefixUntil > 0) return undefined;
  return isSecond ? `g ${key}` : key;
}

function handle(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.altKey || document.querySelector('dialog[open]')) return;
  const key = event.ctrlKey || event.metaKey ? `Ctrl ${event.key}` : readKey(event);
  if (key === undefined) return;
  // Enter and Space belong to a focused button or link.
  const isOnControl = event.target instanceof HTMLElement && event.target.matches('button, a[href], summary');
  if (key === 'Enter' && isOnControl) return;
  const layer = layers.findLast(({ current }) => Object.hasOwn(current, key));
  if (!layer) return;
  event.preventDefault();
  layer.current[key]!();
}

document.addEventListener('keydown', handle);

/** Adds keyboard shortcuts while a component is rendered: a key, `g` and a letter, or `Ctrl k`, which is Cmd on a Mac. They rest while a dialog is
 *  open, and those without Ctrl while the user types. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const ref = useRef(shortcuts);
  ref.current = shortcuts;
  useLayoutEffect(() => {
    layers.push(ref);
    return () => void layers.splice(layers.indexOf(ref), 1);
  }, []);
}
