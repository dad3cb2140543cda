import type { UrlInput } from '../../api/types.ts';
import { linksTexts } from '../../texts/en/links.ts';
import { Field, Toggle } from '../../ui/field.tsx';
import { toLocalInput, toTime } from '../../ui/local-time.ts';
import { draft } from './create/create-state.ts';

const { fields } = linksTexts;

type Name = Exclude<keyof UrlInput, 'original_url' | 'custom_code'>;

const set = (name: Name, value: unknown) => {
  draft.settings.value = { ...draft.settings.value, [name]: value === '' ? undefined : value };
};

interface TextProps {
  name: Name;
  label: string;
  hint?: string;
  error?: string | undefined;
  type?: 'text' | 'number' | 'password' | 'url';
  isWide?: boolean;
}

const Text = ({ name, label, hint, error, type = 'text', isWide = false }: TextProps) => (
  <Field label={label} hint={hint} error={error} isWide={isWide}>
    {(ids) => (
      <input
        {...ids}
        {...({ type } as { type: 'text' })}
        value={String(draft.settings.value[name] ?? '')}
        autocomplete={type === 'password' ? 'new-password' : 'off'}
        {...(type === 'number' && { min: 1, inputMode: 'numeric' })}
        onInput={({ currentTarget: { value } }) =>
          set(name, type === 'number' && value ? Number(value) : value)
        }
      />
    )}
  </Field>
);

const Moment = ({ name, label, hint, error }: TextProps & { name: 'starts_at' | 'expires_at' }) => (
  <Field label={label} hint={hint} error={error}>
    {(ids) => (
      <input
        {...ids}
        type="datetime-local"
        value={toLocalInput(draft.settings.value[name])}
        onChange={({ currentTarget: { value } }) => set(name, toTime(value))}
      />
    )}
  </Field>
);

/** All settings of a new link. `errorOf` returns what the service said about a field. */
export function SettingsFields({ errorOf }: { errorOf: (field: string) => string | undefined }) {
  const { settings } = draft;
  return (
    <div class="fields">
      <Text name="title" label={fields.title} error={errorOf('title')} />
      <Field label={fields.tags} hint={fields.tagsHint} error={errorOf('tags')}>
        {(ids) => (
          <input
            {...ids}
            value={(settings.value.tags ?? []).join(', ')}
            onChange={({ currentTarget: { value } }) => set('tags', readTags(value))}
          />
        )}
      </Field>
      <Moment
        name="expires_at"
        label={fields.expires_at}
        hint={fields.expiresHint}
        error={errorOf('expires_at')}
      />
      <Text
        name="max_clicks"
        type="number"
        label={fields.max_clicks}
        hint={fields.maxClicksHint}
        error={errorOf('max_clicks')}
      />
      <Text
        name="password"
        type="password"
        label={fields.password}
        hint={fields.passwordHint}
        error={errorOf('password')}
      />
      <Moment
        name="starts_at"
        label={fields.starts_at}
        hint={fields.startsHint}
        error={errorOf('starts_at')}
      />
      <Text
        name="fallback_url"
        type="url"
        label={fields.fallback_url}
        hint={fields.fallbackHint}
        error={errorOf('fallback_url')}
      />
      <Text name="notes" label={fields.notes} hint={fields.notesHint} error={errorOf('notes')} />
      <div class="field is-wide toggles">
        {(['is_one_time', 'forward_query', 'crawlable'] as const).map((name) => (
          <Toggle
            key={name}
            label={fields[name]}
            isOn={settings.value[name] === true}
            onChange={(isOn) => set(name, isOn)}
          />
        ))}
      </div>
    </div>
  );
}

/** The tags in a text, separated by commas. */
export const readTags = (text: string): string[] => [
  ...new Set(
    text
      .split(',')
      .map((tag) => tag.trim())
      .filter((tag) => tag !== ''),
  ),
];
