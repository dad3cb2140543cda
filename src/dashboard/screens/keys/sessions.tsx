import { send } from '../../api/client.ts';
import { useQuery } from '../../api/use-query.ts';
import { sayProblem } from '../../state/messages.ts';
import { signOut } from '../../state/session.ts';
import { keysTexts as texts } from '../../texts/en/keys.ts';
import { plain } from '../../ui/format.ts';
import { Time } from '../../ui/time.tsx';

/** A session of `GET /api/v1/sessions`. */
interface Session {
  id: string | number;
  created_at: string;
  last_used_at: string;
  expires_at: string;
  user_agent: string | null;
  is_current: boolean;
}

/** The sessions of the current API key. */
export function Sessions() {
  const { data, reload } = useQuery(
    'sessions',
    async (signal) => (await send<{ items: Session[] }>('get', '/api/v1/sessions', { signal })).body.items,
  );
  const end = async (session: Session) => {
    try {
      if (session.is_current) await signOut();
      else await send('delete', `/api/v1/sessions/${session.id}`);
    } catch (error) {
      sayProblem(error);
    }
    reload();
  };
  if (data === undefined) return null;
  return (
    <section class="panel table-panel" tabIndex={0} aria-label={texts.sessions}>
      <h2>
        {texts.sessions} <span class="quiet">{texts.sessionsHint}</span>
        <span class="grow" />
        <button
          type="button"
          class="small danger"
          onClick={() => void signOut({ everywhere: true }).catch(sayProblem)}
        >
          {texts.signOutAll}
        </button>
      </h2>
      <table>
        <thead>
          <tr>
            <th scope="col">{texts.browser}</th>
            <th scope="col">{texts.signedIn}</th>
            <th scope="col">{texts.lastUsed}</th>
            <th scope="col">{texts.ends}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {data.map((session) => (
            <tr key={session.id}>
              <td>
                {browserOf(session.user_agent)}{' '}
                {session.is_current && <span class="badge is-good">{texts.current}</span>}
              </td>
              <td>
                <Time at={session.created_at} />
              </td>
              <td>
                <Time at={session.last_used_at} />
              </td>
              <td>
                <Time at={session.expires_at} />
              </td>
              <td class="actions">
                <button type="button" class="small" onClick={() => void end(session)}>
                  {texts.signOut}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** The products that a user agent names, the most specific first. */
const products = [
  ['Edg', 'Edge'],
  ['OPR', 'Opera'],
  ['Firefox', 'Firefox'],
  ['Chrome', 'Chrome'],
  ['Safari', 'Safari'],
] as const;
const systems = ['Windows', 'Android', 'iPhone', 'iPad', 'Mac OS X', 'Linux'];

/** Browser and system of a user agent, as people call them. */
function browserOf(userAgent: string | null): string {
  if (!userAgent) return texts.unknownBrowser;
  const browser = products.find(([token]) => userAgent.includes(`${token}/`))?.[1];
  const system = systems.find((name) => userAgent.includes(name))?.replace('Mac OS X', 'macOS');
  return browser ? [browser, system].filter(Boolean).join(', ') : plain(userAgent).slice(0, 60);
}
