import { useEffect, useState } from 'preact/hooks';
import { announce, say } from '../state/messages.ts';
import { common } from '../texts/en/common.ts';
import { Icon } from './icons.tsx';

const shownMs = 1_500;

/** Copies a text. Over plain HTTP, where the clipboard is not available, it copies a selection. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement('textarea');
    field.value = text;
    field.className = 'visually-hidden';
    const before = document.activeElement;
    document.body.append(field);
    field.select();
    const isCopied = document.execCommand('copy');
    field.remove();
    if (before instanceof HTMLElement) before.focus();
    return isCopied;
  }
}

/** Copies a text, and says whether that worked. */
export async function copyAndSay(text: string): Promise<void> {
  if (await copy(text)) say(common.copied(text));
  else say(common.notCopied, { isProblem: true });
}

/** A button that copies, and shows for a moment that it did. */
export function CopyButton({
  text,
  label,
  hasText = false,
}: {
  text: string;
  label: string;
  hasText?: boolean;
}) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setCopied(false), shownMs);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const run = async () => {
    if (!(await copy(text))) return say(common.notCopied, { isProblem: true });
    setCopied(true);
    announce(common.copied(text));
  };
  return (
    <button
      type="button"
      class={hasText ? '' : 'icon-button'}
      aria-label={hasText ? undefined : label}
      title={hasText ? undefined : label}
      onClick={() => void run()}
    >
      <Icon name={isCopied ? 'check' : 'copy'} />
      {hasText && (isCopied ? common.copiedShort : label)}
    </button>
  );
}
