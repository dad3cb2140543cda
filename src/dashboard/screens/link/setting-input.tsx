import { linksTexts } from '../../texts/en/links.ts';
import { toLocalInput, toTime } from '../../ui/local-time.ts';
import { readTags } from '../links/settings-fields.tsx';
import type { Setting, SettingValue } from './settings-list.ts';

/** The text that an input shows for a value. */
export const textOf = ({ kind }: Setting, value: SettingValue): string => {
  if (value === null) return '';
  if (Array.isArray(value)) return value.join(', ');
  return kind === 'moment' ? toLocalInput(String(value)) : String(value);
};

/** The value that the patch gets for a text. */
export function valueOf({ kind }: Setting, text: string): unknown {
  if (kind === 'tags') return readTags(text);
  if (text === '') return null;
  if (kind === 'moment') return toTime(text) ?? null;
  return kind === 'number' || kind === 'status' ? Number(text) : text;
}

const types: Partial<Record<Setting['kind'], string>> = {
  url: 'url',
  number: 'number',
  moment: 'datetime-local',
  password: 'password',
};

interface Props {
  setting: Setting;
  text: string;
  onText: (text: string) => void;
  ids: { id: string };
}

/** The input of a setting. */
export function SettingInput({ setting: { kind, isOptional }, text, onText, ids }: Props) {
  const shared = {
    ...ids,
    value: text,
    required: !isOptional,
    spellcheck: kind === 'long' || kind === 'text',
  };
  if (kind === 'long')
    return <textarea {...shared} rows={4} onInput={(event) => onText(event.currentTarget.value)} />;
  if (kind === 'status')
    return (
      <select {...shared} onChange={(event) => onText(event.currentTarget.value)}>
        <option value="">{linksTexts.fields.redirectDefault}</option>
        {[301, 302, 307, 308].map((status) => (
          <option key={status} value={status}>
            {status}
          </option>
        ))}
      </select>
    );
  return (
    <input
      {...shared}
      {...({ type: types[kind] ?? 'text' } as { type: 'text' })}
      {...(kind === 'number' && { min: 1 })}
      autocomplete={kind === 'password' ? 'new-password' : 'off'}
      onInput={(event) => onText(event.currentTarget.value)}
    />
  );
}
