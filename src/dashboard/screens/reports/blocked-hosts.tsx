import { useState } from 'preact/hooks';
import { call, get } from '../../api/client.ts';
import { asProblem } from '../../api/problem.ts';
import { useQuery } from '../../api/use-query.ts';
import { say, sayProblem } from '../../state/messages.ts';
import { reportsTexts as texts } from '../../texts/en/reports.ts';
import { Field } from '../../ui/field.tsx';
import { plain } from '../../ui/format.ts';
import { Icon } from '../../ui/icons.tsx';
import { Time } from '../../ui/time.tsx';

/** The blocked hosts, with a form to add one. */
export function BlockedHosts() {
  const { data, reload } = useQuery(
    'blocked hosts',
    async (signal) => await get('/api/v1/blocked-hosts', { query: { limit: 1_000 }, signal }),
  );
  const unblock = async (host: string) => {
    try {
      await call('delete', '/api/v1/blocked-hosts/{host}', { params: { host } });
      say(texts.unblocked(host));
    } catch (error) {
      sayProblem(error);
    }
    reload();
  };
  return (
    <section class="panel blocked-hosts">
      <h2>
        {texts.hosts} <span class="quiet">{texts.hostsHint}</span>
      </h2>
      <BlockForm onBlocked={reload} />
      {data?.items.length === 0 && <p class="quiet">{texts.noHosts}</p>}
      <ul class="plain-rows">
        {data?.items.map(({ host, reason, created_at: at }) => (
          <li key={host}>
            <span class="code">{plain(host)}</span>
            <span class="quiet cut grow">{plain(reason ?? '')}</span>
            <span class="quiet">
              <Time at={at} />
            </span>
            <button
              type="button"
              class="icon-button"
              aria-label={texts.unblock(plain(host))}
              onClick={() => void unblock(host)}
            >
              <Icon name="trash" />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function BlockForm({ onBlocked }: { onBlocked: () => void }) {
  const [host, setHost] = useState('');
  const [reason, setReason] = useState('');
  const [error, setError] = useState<string>();
  const block = async () => {
    setError(undefined);
    try {
      await call('post', '/api/v1/blocked-hosts', {
        body: { hosts: [host.trim()], reason: reason.trim() || null },
      });
      setHost('');
      setReason('');
      onBlocked();
    } catch (failure) {
      const problem = asProblem(failure);
      setError(problem.of('hosts') ?? problem.message);
    }
  };
  return (
    <form
      class="inline-form"
      onSubmit={(event) => {
        event.preventDefault();
        void block();
      }}
    >
      <Field label={texts.host} hint={texts.hostHint} error={error}>
        {(ids) => (
          <input {...ids} required value={host} onInput={(event) => setHost(event.currentTarget.value)} />
        )}
      </Field>
      <Field label={texts.reason}>
        {(ids) => <input {...ids} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />}
      </Field>
      <button type="submit">{texts.add}</button>
    </form>
  );
}
