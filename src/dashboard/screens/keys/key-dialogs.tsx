import { useState } from 'preact/hooks';
import { call } from '../../api/client.ts';
import { asProblem, type Problem } from '../../api/problem.ts';
import type { ApiKey } from '../../api/types.ts';
import type { Scope } from '../../state/session.ts';
import { keysTexts as texts } from '../../texts/en/keys.ts';
import { CopyButton } from '../../ui/copy.tsx';
import { Dialog, FormDialog } from '../../ui/dialog.tsx';
import { Field, TextField, Toggle } from '../../ui/field.tsx';
import { plain } from '../../ui/format.ts';
import { toTime } from '../../ui/local-time.ts';

interface Props {
  onClose: () => void;
  onSecret: (secret: string) => void;
}

const scopes = Object.keys(texts.scopes) as Scope[];

export function CreateDialog({ onClose, onSecret }: Props) {
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState<Scope[]>(['urls:read', 'urls:write', 'stats:read']);
  const [isOwn, setOwn] = useState(false);
  const [expires, setExpires] = useState('');
  const [problem, setProblem] = useState<Problem>();
  const create = async () => {
    try {
      const { body } = await call('post', '/api/v1/api-keys', {
        body: { name, scopes: chosen, own_urls_only: isOwn, expires_at: toTime(expires) ?? null },
      });
      onSecret(body.key);
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const toggle = (scope: Scope) =>
    setChosen(chosen.includes(scope) ? chosen.filter((one) => one !== scope) : [...chosen, scope]);
  return (
    <FormDialog title={texts.create} action={texts.create} onSubmit={() => void create()} onClose={onClose}>
      <TextField
        label={texts.name}
        hint={texts.nameHint}
        error={problem?.of('name')}
        value={name}
        onValue={setName}
      />
      <fieldset class="scopes">
        <legend>{texts.scopesLabel}</legend>
        {scopes.map((scope) => (
          <label key={scope} class="check">
            <input type="checkbox" checked={chosen.includes(scope)} onChange={() => toggle(scope)} />
            {texts.scopes[scope]} <code class="quiet">{scope}</code>
          </label>
        ))}
      </fieldset>
      <Toggle label={texts.ownUrlsOnly} isOn={isOwn} onChange={setOwn} />
      <Field label={texts.expires} error={problem?.of('expires_at')}>
        {(ids) => (
          <input
            {...ids}
            type="datetime-local"
            value={expires}
            onChange={(event) => setExpires(event.currentTarget.value)}
          />
        )}
      </Field>
      {problem && problem.of('name') === undefined && (
        <p class="is-error" role="alert">
          {problem.message}
        </p>
      )}
    </FormDialog>
  );
}

export function RotateDialog({ apiKey, onClose, onSecret }: Props & { apiKey: ApiKey }) {
  const [hours, setHours] = useState(24);
  const [problem, setProblem] = useState<Problem>();
  const rotate = async () => {
    try {
      const { body } = await call('post', '/api/v1/api-keys/{id}/rotate', {
        params: { id: apiKey.id },
        body: { grace_hours: hours },
      });
      onSecret(body.key);
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return (
    <FormDialog
      title={texts.rotateTitle(plain(apiKey.name))}
      action={texts.rotate}
      onSubmit={() => void rotate()}
      onClose={onClose}
    >
      <p>{texts.rotateText}</p>
      <Field label={texts.graceHours} error={problem?.message}>
        {(ids) => (
          <input
            {...ids}
            type="number"
            min={0}
            value={hours}
            onInput={(event) => setHours(Number(event.currentTarget.value))}
          />
        )}
      </Field>
    </FormDialog>
  );
}

/** Shows a secret the only time that the service tells it. */
export const SecretDialog = ({ secret, onClose }: { secret: string; onClose: () => void }) => (
  <Dialog title={texts.secretTitle} onClose={onClose}>
    <p>{texts.secretText}</p>
    <pre class="secret" tabIndex={0}>
      {secret}
    </pre>
    <footer>
      <CopyButton text={secret} label={texts.copyKey} hasText />
      <button type="button" class="primary" onClick={onClose}>
        {texts.done}
      </button>
    </footer>
  </Dialog>
);
