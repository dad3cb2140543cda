import { useState } from 'preact/hooks';
import { asProblem } from './api/problem.ts';
import { useQuery } from './api/use-query.ts';
import { ScreenOf } from './routing/screens.tsx';
import { SignInDialog, SignInScreen } from './screens/sign-in/sign-in.tsx';
import { takeToken } from './screens/sign-in/token.ts';
import { Shell } from './shell/shell.tsx';
import { loadService } from './state/service.ts';
import { apiKey, isExpired, loadSession, signIn } from './state/session.ts';
import { signInTexts } from './texts/en/sign-in.ts';
import { Messages } from './ui/messages.tsx';
import { ProblemNote } from './ui/screen.tsx';

/** The dashboard: the sign-in, or the screens for an API key. */
export function App() {
  const [hint, setHint] = useState<string>();
  // It is kept until the service answers.
  const [token, setToken] = useState(takeToken);

  const session = useQuery('session', async () => {
    if (token !== undefined && !(await canSignIn(token))) setHint(signInTexts.badToken);
    setToken(undefined);
    await loadSession();
  });
  useQuery(apiKey.value?.id.toString(), loadService);

  if (session.problem) return <ProblemNote problem={session.problem} onRetry={session.reload} />;
  return (
    <>
      {apiKey.value === null && <SignInScreen hint={hint} />}
      {apiKey.value && (
        <Shell>
          <ScreenOf />
        </Shell>
      )}
      {apiKey.value && isExpired.value && <SignInDialog />}
      <Messages />
    </>
  );
}

/** Signs in with the token of a one-time link; false if the link is not valid. */
async function canSignIn(token: string): Promise<boolean> {
  try {
    await signIn({ sign_in_token: token });
    return true;
  } catch (error) {
    if (asProblem(error).status !== 401) throw error;
    return false;
  }
}
