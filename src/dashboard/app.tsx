import { useEffect, useState } from 'preact/hooks';
import { asProblem, type Problem } from './api/problem.ts';
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
  const [problem, setProblem] = useState<Problem>();
  const [hint, setHint] = useState<string>();

  const start = async () => {
    setProblem(undefined);
    try {
      await signInByLink(setHint);
      await loadSession();
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  useEffect(() => void start(), []);
  useEffect(() => {
    if (apiKey.value) void loadService();
  }, [apiKey.value?.id]);

  if (problem) return <ProblemNote problem={problem} onRetry={() => void start()} />;
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

/** Uses the token of a one-time link, which leaves the address at once. */
async function signInByLink(setHint: (text: string) => void): Promise<void> {
  const token = takeToken();
  if (token === undefined) return;
  try {
    await signIn({ sign_in_token: token });
  } catch (error) {
    if (asProblem(error).status !== 401) throw error;
    setHint(signInTexts.badToken);
  }
}
