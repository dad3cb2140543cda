import { useState } from 'preact/hooks';
import { linksTexts } from '../../../texts/en/links.ts';
import { draft } from './create-state.ts';

const names = ['source', 'medium', 'campaign', 'term', 'content'] as const;

/** Campaign (UTM) parameters, which become part of each URL in the field. */
export function Campaign() {
  const [values, setValues] = useState<Partial<Record<(typeof names)[number], string>>>({});
  const set = (name: (typeof names)[number], value: string) => {
    setValues({ ...values, [name]: value });
    draft.text.value = draft.text.value
      .split('\n')
      .map((line) => withParameter(line, `utm_${name}`, value.trim()))
      .join('\n');
  };
  return (
    <fieldset class="campaign">
      <legend>
        {linksTexts.fields.utm} <span class="quiet">{linksTexts.fields.utmHint}</span>
      </legend>
      {names.map((name) => (
        <label key={name}>
          <span>{name}</span>
          <input value={values[name] ?? ''} onChange={({ currentTarget: { value } }) => set(name, value)} />
        </label>
      ))}
    </fieldset>
  );
}

/** A URL with a parameter; a text that is no URL stays as it is. */
function withParameter(line: string, name: string, value: string): string {
  if (line.trim() === '') return line;
  try {
    const url = new URL(/^[a-z][a-z\d+.-]*:/i.test(line.trim()) ? line.trim() : `https://${line.trim()}`);
    if (value === '') url.searchParams.delete(name);
    else url.searchParams.set(name, value);
    return url.href;
  } catch {
    return line;
  }
}
