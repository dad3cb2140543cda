import { signal } from '@preact/signals';

interface Message {
  id: number;
  text: string;
  isProblem: boolean;
  action?: { label: string; run: () => void } | undefined;
}

/** How long a message stays, in milliseconds: long enough for its action. */
const shownMs = 10_000;

export const messages = signal<Message[]>([]);
/** Text of the one polite live region. */
export const announcement = signal('');

let lastId = 0;

export const dismiss = (id: number) => {
  messages.value = messages.value.filter((message) => message.id !== id);
};

/** Says something to screen readers only. */
export function announce(text: string): void {
  // The same text twice would not be read again.
  announcement.value = announcement.peek() === text ? `${text}\u00A0` : text;
}

/** Shows a message for 10 seconds, with an action such as "Undo". */
export function say(text: string, options: { isProblem?: boolean; action?: Message['action'] } = {}): void {
  lastId += 1;
  const id = lastId;
  const { isProblem = false, action } = options;
  messages.value = [...messages.value.slice(-2), { id, text, isProblem, action }];
  announce(action ? `${text} ${action.label}` : text);
  setTimeout(() => dismiss(id), shownMs);
}

/** Shows why something failed. */
export const sayProblem = (error: unknown) =>
  say(error instanceof Error ? error.message : String(error), { isProblem: true });
