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

function handle(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTyping(event.target) || document.querySelector('dialog[open]')) return;
  const isLetter = event.key.length === 1;
  if (isLetter && letterKeys.peek() === 'off') return;
  const isSecond = performance.now() < prefixUntil;
  prefixUntil = 0;
  const key = isSecond ? `g ${event.key}` : event.key;
  if (key === 'g') {
    prefixUntil = performance.now() + sequenceMs;
    return;
  }
  // Enter and Space belong to a focused button or link.
  const isOnControl = event.target instanceof HTMLElement && event.target.matches('button, a[href], summary');
  if (key === 'Enter' && isOnControl) return;
  const layer = layers.findLast(({ current }) => Object.hasOwn(current, key));
  if (!layer) return;
  event.preventDefault();
  layer.current[key]!();
}

document.addEventListener('keydown', handle);

/** Adds keyboard shortcuts while a component is rendered: a key, or `g` and a letter. They rest while the user types, and while a dialog
 *  is open. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const ref = useRef(shortcuts);
  ref.current = shortcuts;
  useLayoutEffect(() => {
    layers.push(ref);
    return () => void layers.splice(layers.indexOf(ref), 1);
  }, []);
}
