const rows = () => [...document.querySelectorAll<HTMLElement>('.row[data-code]')];

/** Position of the row that had the focus last: a deleted row takes the focus with it. */
let lastIndex = -1;

const indexOfFocus = () => rows().findIndex((row) => row.contains(document.activeElement));

/** The short code of the row that has the focus. */
export function focusedCode(): string | undefined {
  const index = indexOfFocus();
  if (index !== -1) lastIndex = index;
  return rows()[index]?.dataset['code'];
}

/** Moves the focus between rows: to the first one if none has it. */
export function moveFocus(step: -1 | 0 | 1): void {
  const all = rows();
  const index = indexOfFocus();
  const from = index === -1 ? (step === 0 ? lastIndex : -1) : index;
  const next = Math.min(Math.max(from + step, 0), all.length - 1);
  lastIndex = next;
  const link = all[next]?.querySelector<HTMLElement>('.code');
  link?.focus();
  link?.scrollIntoView({ block: 'nearest' });
}
