import { useEffect, useState } from 'preact/hooks';
import { addressOf } from '../../api/client.ts';
import { asProblem } from '../../api/problem.ts';
import { isExpired, loadSession, signIn } from '../../state/session.ts';
import { signInTexts as texts } from '../../texts/en/sign-in.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Icon } from '../../ui/icons.tsx';

/** The name of the provider of single sign-on; empty without one. */
const provider = document.documentElement.dataset['provider'];

function SignInForm({ hint }: { hint?: string | undefined }) {
  const [key, setKey] = useState('');
  const [error, setError] = useState(hint);
  const [isSending, setSending] = useState(false);
  const submit = async () => {
    setSending(true);
    setError(undefined);
    try {
      await signIn({ api_key: key.trim() });
    } catch (failure) {
      const problem = asProblem(failure);
      setError(problem.status === 401 ? texts.badKey : problem.message);
    }
    setSending(false);
  };
  return (
    <form
      class="sign-in-form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {provider && (
        <a
          class="button"
          href={addressOf('/admin/sign-in/oidc', { return: location.pathname + location.search })}
          target={isExpired.value ? '_blank' : undefined}
        >
          {texts.signInWith(provider)}
        </a>
      )}
      <Field label={texts.apiKey} hint={texts.hint} error={error}>
        {(ids) => (
          <input
            {...ids}
            type="password"
            name="password"
            autocomplete="current-password"
            spellcheck={false}
            required
            autofocus
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        )}
      </Field>
      <button type="submit" class="primary" disabled={isSending}>
        {isSending ? texts.signingIn : texts.signIn}
      </button>
    </form>
  );
}

/** The first screen without a session. */
export function SignInScreen({ hint }: { hint?: string | undefined }) {
  useEffect(() => void (document.title = `${texts.title} · Linkmill`), []);
  return (
    <main class="sign-in">
      <div class="brand">
        <Icon name="link" />
        Linkmill
      </div>
      <h1>{texts.title}</h1>
      <SignInForm hint={hint} />
      <p class="quiet">
        {texts.link} <code>{texts.linkCommand}</code> {texts.linkEnd}
      </p>
    </main>
  );
}

/** Shown above the page whose session has ended. Single sign-on is in another tab; afterwards this one continues. */
export function SignInDialog() {
  useEffect(() => {
    // A failure leaves the dialog open, and the next focus tries again.
    const check = () => void loadSession().catch(() => undefined);
    addEventListener('focus', check);
    return () => removeEventListener('focus', check);
  }, []);
  return (
    <Dialog title={texts.title} isClosable={false} onClose={() => (isExpired.value = false)}>
      <p>{texts.expired}</p>
      <SignInForm />
    </Dialog>
  );
}
