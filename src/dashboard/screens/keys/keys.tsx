import { useState } from 'preact/hooks';
import { call, get } from '../../api/client.ts';
import type { ApiKey } from '../../api/types.ts';
import { useQuery } from '../../api/use-query.ts';
import { say, sayProblem } from '../../state/messages.ts';
import { apiKey, may } from '../../state/session.ts';
import { common } from '../../texts/en/common.ts';
import { keysTexts as texts } from '../../texts/en/keys.ts';
import { Confirm } from '../../ui/dialog.tsx';
import { formatDateTime, plain } from '../../ui/format.ts';
import { Icon } from '../../ui/icons.tsx';
import { ProblemNote, Screen } from '../../ui/screen.tsx';
import { Time } from '../../ui/time.tsx';
import { CreateDialog, RotateDialog, SecretDialog } from './key-dialogs.tsx';
import { Sessions } from './sessions.tsx';

type Asked = { to: 'create' } | { to: 'rotate' | 'revoke'; key: ApiKey } | { to: 'show'; secret: string };

/** API keys and the sessions of the current one. */
export function KeysScreen() {
  const isAdmin = may('admin');
  const { data, problem, reload } = useQuery(`keys ${isAdmin}`, async (signal) =>
    isAdmin ? (await get('/api/v1/api-keys', { signal })).items : [apiKey.value!],
  );
  const [asked, setAsked] = useState<Asked>();
  const close = () => setAsked(undefined);
  const onSecret = (secret: string) => {
    setAsked({ to: 'show', secret });
    reload();
  };
  const revoke = async (key: ApiKey) => {
    try {
      await call('delete', '/api/v1/api-keys/{id}', { params: { id: key.id } });
      say(texts.revokedNow(plain(key.name)));
    } catch (error) {
      sayProblem(error);
    }
    reload();
  };
  return (
    <Screen
      title={texts.title}
      actions={
        isAdmin && (
          <button type="button" class="primary" onClick={() => setAsked({ to: 'create' })}>
            <Icon name="plus" />
            {texts.create}
          </button>
        )
      }
    >
      {problem && <ProblemNote problem={problem} onRetry={reload} />}
      <section class="panel table-panel" tabIndex={0} aria-label={texts.keys} aria-busy={data === undefined}>
        <table>
          <thead>
            <tr>
              <th scope="col">{texts.name}</th>
              <th scope="col">{texts.scopesLabel}</th>
              <th scope="col">{texts.lastUsed}</th>
              <th scope="col">{texts.expires}</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {data?.map((key) => (
              <KeyRow key={key.id} apiKeyOfRow={key} isAdmin={isAdmin} ask={(to) => setAsked({ to, key })} />
            ))}
          </tbody>
        </table>
      </section>
      {!isAdmin && <p class="quiet screen-hint">{texts.notAdmin}</p>}
      <Sessions />
      {asked?.to === 'create' && <CreateDialog onClose={close} onSecret={onSecret} />}
      {asked?.to === 'rotate' && <RotateDialog apiKey={asked.key} onClose={close} onSecret={onSecret} />}
      {asked?.to === 'show' && <SecretDialog secret={asked.secret} onClose={close} />}
      {asked?.to === 'revoke' && (
        <Confirm
          title={texts.revokeTitle(plain(asked.key.name))}
          text={texts.revokeText}
          action={texts.revoke}
          onConfirm={() => void revoke(asked.key)}
          onClose={close}
        />
      )}
    </Screen>
  );
}

function KeyRow(props: { apiKeyOfRow: ApiKey; isAdmin: boolean; ask: (to: 'rotate' | 'revoke') => void }) {
  const { apiKeyOfRow: key, isAdmin, ask } = props;
  const isCurrent = key.id === apiKey.value?.id;
  const isExpired = key.expires_at !== null && Date.parse(key.expires_at) <= Date.now();
  const isUsable = key.revoked_at === null && !isExpired;
  return (
    <tr class={isUsable ? '' : 'is-gone'}>
      <td>
        <strong>{plain(key.name)}</strong>{' '}
        {key.person ? <span class="badge">{texts.person}</span> : <code class="quiet">{key.prefix}…</code>}{' '}
        {isCurrent && <span class="badge is-good">{texts.current}</span>}
        {key.revoked_at !== null && <span class="badge is-bad">{texts.revoked}</span>}
        {isExpired && <span class="badge is-bad">{texts.expired}</span>}
        {key.own_urls_only && <span class="badge">{texts.ownUrlsOnly}</span>}
        {key.previous_valid_until !== null && Date.parse(key.previous_valid_until) > Date.now() && (
          <span class="badge is-warn">
            {texts.previousValid} {formatDateTime(key.previous_valid_until)}
          </span>
        )}
      </td>
      <td>{key.scopes.map((scope) => texts.scopes[scope] ?? scope).join(', ')}</td>
      <td>{key.last_used_at ? <Time at={key.last_used_at} /> : <span class="quiet">{common.never}</span>}</td>
      <td>{key.expires_at ? <Time at={key.expires_at} /> : <span class="quiet">{common.never}</span>}</td>
      <td class="actions">
        {isAdmin && isUsable && (
          <>
            {!key.person && (
              <button type="button" class="small" onClick={() => ask('rotate')}>
                {texts.rotate}
              </button>
            )}
            {!isCurrent && (
              <button type="button" class="small danger" onClick={() => ask('revoke')}>
                {texts.revoke}
              </button>
            )}
          </>
        )}
      </td>
    </tr>
  );
}
