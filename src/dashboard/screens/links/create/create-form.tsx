import { useEffect, useRef, useState } from 'preact/hooks';
import { asProblem, type Problem } from '../../../api/problem.ts';
import { query, setQuery } from '../../../routing/router.ts';
import { say } from '../../../state/messages.ts';
import { common } from '../../../texts/en/common.ts';
import { linksTexts as texts } from '../../../texts/en/links.ts';
import { copy } from '../../../ui/copy.tsx';
import { Icon } from '../../../ui/icons.tsx';
import { restore } from '../bulk-state.ts';
import { listChanges } from '../list-state.ts';
import { SettingsFields } from '../settings-fields.tsx';
import { Campaign } from './campaign.tsx';
import {
  type Created,
  createMany,
  createOne,
  draft,
  emptyDraft,
  suggestCodes,
  urlsIn,
} from './create-state.ts';

/** Why nothing was created, with the custom code that was given, and free ones like it. */
interface Failure {
  problem: Problem;
  code: string;
  free: string[];
}

/** Creates short URLs: one from a URL, or many from many lines. The short URL is copied. */
export function CreateForm({ onCreated }: { onCreated: (created: Created) => void }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const [isOpen, setOpen] = useState(false);
  const [isSending, setSending] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const urls = urlsIn(draft.text.value);

  useEffect(() => takeUrlOfAddress(), []);
  useEffect(() => pasteAnywhere(field), []);

  const submit = async () => {
    if (urls.length === 0) return field.current?.focus();
    setSending(true);
    setFailure(undefined);
    const code = draft.code.value.trim();
    try {
      const created = urls.length === 1 ? await createOne(urls[0]!, true) : await createMany(urls);
      const text = created.urls.map((url) => url.short_url).join('\n');
      const isCopied = text === '' || (await copy(text));
      if (!isCopied) say(common.notCopied, { isProblem: true });
      emptyDraft();
      draft.text.value = created.failed.map(({ text }) => text).join('\n');
      setOpen(false);
      onCreated({ ...created, isCopied });
      listChanges.value += 1;
    } catch (error) {
      const problem = asProblem(error);
      setFailure({ problem, code, free: [] });
      const isOfCode = code !== '' && (problem.type.startsWith('code-') || problem.of('custom_code'));
      if (isOfCode) setFailure({ problem, code, free: await suggestCodes(code) });
    }
    setSending(false);
    field.current?.focus();
  };

  const { problem, code = '', free = [] } = failure ?? {};
  const errorOf = (name: string) => problem?.of(name);
  const general =
    problem && (problem.of('original_url') ?? (problem.fields.length === 0 ? problem.message : undefined));

  return (
    <form
      class="create"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <div class="create-line">
        <textarea
          ref={field}
          id="create-field"
          aria-label={texts.field}
          aria-describedby={general ? 'create-error' : undefined}
          aria-invalid={general ? true : undefined}
          placeholder={texts.placeholder}
          rows={Math.min(Math.max(draft.text.value.split('\n').length, 1), 8)}
          spellcheck={false}
          autocapitalize="off"
          value={draft.text.value}
          onInput={({ currentTarget: { value } }) => (draft.text.value = value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape') event.currentTarget.blur();
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            void submit();
          }}
        />
        {urls.length < 2 && (
          <input
            class="create-code"
            aria-label={texts.customCode}
            aria-describedby={errorOf('custom_code') || free.length > 0 ? 'create-error' : undefined}
            placeholder={texts.customCodePlaceholder}
            spellcheck={false}
            autocapitalize="off"
            value={draft.code.value}
            onInput={({ currentTarget: { value } }) => (draft.code.value = value)}
          />
        )}
        <button
          type="button"
          class="create-more"
          aria-expanded={isOpen}
          aria-controls="create-settings"
          onClick={() => setOpen(!isOpen)}
        >
          <Icon name="settings" />
          {texts.settings}
        </button>
        <button type="submit" class="primary" disabled={isSending}>
          {isSending ? texts.shortening : urls.length > 1 ? texts.shortenMany(urls.length) : texts.shorten}
        </button>
      </div>
      {problem && (
        <p id="create-error" class="create-error" role="alert">
          {problem.type === 'code-taken'
            ? texts.codeTaken(code)
            : problem.type === 'code-deleted'
              ? texts.codeDeleted(code)
              : (errorOf('custom_code') ?? general ?? problem.message)}
          {free.length > 0 && (
            <>
              {' '}
              {texts.freeCodes}{' '}
              {free.map((one) => (
                <button
                  type="button"
                  class="small"
                  key={one}
                  onClick={() => {
                    draft.code.value = one;
                    setFailure(undefined);
                    field.current?.focus();
                  }}
                >
                  {one}
                </button>
              ))}
            </>
          )}
          {problem.type === 'code-deleted' && (
            <button
              type="button"
              class="small"
              onClick={() => void restore([code]).then(() => setFailure(undefined))}
            >
              {texts.restore}
            </button>
          )}
        </p>
      )}
      {isOpen && (
        <div id="create-settings" class="create-settings">
          <SettingsFields errorOf={errorOf} />
          <Campaign />
        </div>
      )}
    </form>
  );
}

/** `/admin/?url=…` (bookmarklet, share target) fills the field. A GET never creates. */
function takeUrlOfAddress(): void {
  const url = query.value.get('url') ?? query.value.get('text');
  if (!url) return;
  draft.text.value = url;
  setQuery({ url: undefined, text: undefined, title: undefined }, true);
}

/** A URL that is pasted outside of a field goes into the field. */
function pasteAnywhere(field: { current: HTMLTextAreaElement | null }): () => void {
  const onPaste = (event: ClipboardEvent) => {
    if ((event.target as HTMLElement).closest('input, textarea, dialog')) return;
    const text = event.clipboardData?.getData('text').trim() ?? '';
    if (!/^\S+\.\S+/.test(text)) return;
    event.preventDefault();
    draft.text.value = text;
    field.current?.focus();
  };
  document.addEventListener('paste', onPaste);
  return () => document.removeEventListener('paste', onPaste);
}
