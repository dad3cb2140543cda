import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { asProblem } from '../../api/problem.ts';
import type { ShortUrl } from '../../api/types.ts';
import { announce } from '../../state/messages.ts';
import { common } from '../../texts/en/common.ts';
import { linkTexts as texts } from '../../texts/en/link.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Field, Toggle } from '../../ui/field.tsx';
import { Icon } from '../../ui/icons.tsx';
import { SettingInput, textOf, valueOf } from './setting-input.tsx';
import type { Setting } from './settings-list.ts';
import { save } from './url-state.ts';

interface Props {
  url: ShortUrl;
  setting: Setting;
  canWrite: boolean;
  onUrl: (url: ShortUrl) => void;
}

/** A setting with its value; the pencil turns it into an input. */
export function SettingRow({ url, setting, canWrite, onUrl }: Props) {
  const { name, label, kind, hint, isOptional } = setting;
  const [text, setText] = useState<string>();
  const [error, setError] = useState<string>();
  const [conflict, setConflict] = useState<{ theirs: ShortUrl; yours: unknown }>();
  const pencil = useRef<HTMLButtonElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const wasOpen = useRef(false);
  // Before the next key arrives.
  useLayoutEffect(() => {
    form.current?.querySelector<HTMLElement>('input, select, textarea')?.focus();
    if (wasOpen.current && text === undefined) pencil.current?.focus();
    wasOpen.current = text !== undefined;
  }, [text === undefined]);

  const change = async (value: unknown, seen = url) => {
    setError(undefined);
    try {
      const saved = await save(seen, { [name]: value });
      if ('conflict' in saved) return setConflict({ theirs: saved.conflict, yours: value });
      setText(undefined);
      onUrl(saved.url);
      announce(texts.saved(label));
    } catch (failure) {
      const problem = asProblem(failure);
      setError(problem.of(name) ?? problem.message);
    }
  };

  if (kind === 'switch')
    return (
      <li class="setting is-switch">
        <Toggle
          label={label}
          isOn={setting.valueOf(url) === true}
          isDisabled={!canWrite}
          onChange={(isOn) => void change(isOn)}
        />
        {error && <small class="is-error">{error}</small>}
        {conflict && <Conflict {...{ setting, conflict, setConflict, change, onUrl, setText }} />}
      </li>
    );

  const value = setting.show(url);
  return (
    <li class="setting">
      {text === undefined ? (
        <>
          <span class="setting-name">{label}</span>
          <span class={value === setting.unset ? 'setting-value quiet' : 'setting-value'}>{value}</span>
          {canWrite && (
            <button
              ref={pencil}
              type="button"
              class="icon-button"
              aria-label={texts.edit(label)}
              data-setting={name}
              onClick={() => setText(textOf(setting, setting.valueOf(url)))}
            >
              <Icon name="edit" />
            </button>
          )}
        </>
      ) : (
        <form
          ref={form}
          class="setting-form"
          onSubmit={(event) => {
            event.preventDefault();
            void change(valueOf(setting, text));
          }}
          onKeyDown={(event) => {
            if (event.key === 'Escape') setText(undefined);
          }}
        >
          <Field label={label} hint={hint} error={error}>
            {(ids) => <SettingInput setting={setting} text={text} onText={setText} ids={ids} />}
          </Field>
          <footer>
            {isOptional && value !== setting.unset && (
              <button type="button" class="small danger" onClick={() => void change(valueOf(setting, ''))}>
                {texts.removeValue}
              </button>
            )}
            <span class="grow" />
            <button type="button" class="small" onClick={() => setText(undefined)}>
              {common.cancel}
            </button>
            <button type="submit" class="small primary">
              {common.save}
            </button>
          </footer>
        </form>
      )}
      {conflict && <Conflict {...{ setting, conflict, setConflict, change, onUrl, setText }} />}
    </li>
  );
}

function Conflict(props: {
  setting: Setting;
  conflict: { theirs: ShortUrl; yours: unknown };
  setConflict: (conflict: undefined) => void;
  setText: (text: undefined) => void;
  change: (value: unknown, seen: ShortUrl) => Promise<void>;
  onUrl: (url: ShortUrl) => void;
}) {
  const { setting, conflict, setConflict, setText, change, onUrl } = props;
  const { theirs, yours } = conflict;
  const keepTheirs = () => {
    setConflict(undefined);
    setText(undefined);
    onUrl(theirs);
  };
  return (
    <Dialog title={texts.conflictTitle} onClose={keepTheirs}>
      <p>{texts.conflict(setting.label)}</p>
      <dl class="versions">
        <dt>{texts.theirs}</dt>
        <dd>{setting.show(theirs)}</dd>
        <dt>{texts.yours}</dt>
        <dd>{setting.show({ ...theirs, [setting.name]: yours, has_password: yours !== null })}</dd>
      </dl>
      <footer>
        <button type="button" onClick={keepTheirs}>
          {texts.theirs}
        </button>
        <button
          type="button"
          class="primary"
          onClick={() => {
            setConflict(undefined);
            void change(yours, theirs);
          }}
        >
          {texts.yours}
        </button>
      </footer>
    </Dialog>
  );
}
