import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

/** The attributes that connect an input with its label, hint and error. */
interface FieldIds {
  id: string;
  'aria-describedby'?: string | undefined;
  'aria-invalid'?: boolean | undefined;
}

/** A labelled input with a hint or an error below it. */
export function Field(props: {
  label: ComponentChildren;
  hint?: ComponentChildren;
  error?: string | undefined;
  isWide?: boolean;
  children: (ids: FieldIds) => ComponentChildren;
}) {
  const { label, hint, error, isWide = false, children } = props;
  const id = useId();
  const note = error ?? hint;
  return (
    <div class={isWide ? 'field is-wide' : 'field'}>
      <label for={id}>{label}</label>
      {children({
        id,
        'aria-describedby': note ? `${id}-note` : undefined,
        'aria-invalid': error === undefined ? undefined : true,
      })}
      {note && (
        <small id={`${id}-note`} class={error ? 'is-error' : ''}>
          {note}
        </small>
      )}
    </div>
  );
}

/** A labelled line of text, which is required and has the focus. */
export function TextField(props: {
  label: string;
  hint?: string;
  error?: string | undefined;
  value: string;
  onValue: (value: string) => void;
}) {
  const { value, onValue, ...field } = props;
  return (
    <Field {...field}>
      {(ids) => (
        <input
          {...ids}
          required
          autofocus
          value={value}
          onInput={(event) => onValue(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

/** A switch with its label beside it. */
export function Toggle(props: {
  label: ComponentChildren;
  isOn: boolean;
  onChange: (isOn: boolean) => void;
  isDisabled?: boolean;
}) {
  const { label, isOn, onChange, isDisabled = false } = props;
  return (
    <label class="toggle">
      <input
        type="checkbox"
        role="switch"
        checked={isOn}
        disabled={isDisabled}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  );
}

/** A compact labelled list of choices for filters. */
export function Choice(props: {
  label: string;
  value: string;
  options: readonly (readonly [value: string, text: string])[];
  onChange: (value: string) => void;
}) {
  const { label, value, options, onChange } = props;
  return (
    <label class={value === '' ? 'choice' : 'choice is-set'}>
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
