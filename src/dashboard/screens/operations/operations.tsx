import { isAvailable } from '../../api/available.ts';
import { useQuery } from '../../api/use-query.ts';
import { basePath } from '../../routing/router.ts';
import { may } from '../../state/session.ts';
import { common } from '../../texts/en/common.ts';
import { operationsTexts as texts } from '../../texts/en/operations.ts';
import { Icon } from '../../ui/icons.tsx';
import { ProblemNote, Screen } from '../../ui/screen.tsx';
import { Time } from '../../ui/time.tsx';
import { Counting, KeyPool, Load, Stores, Works } from './facts.tsx';
import { Jobs, Queues } from './queues.tsx';
import { loadOperations, loadQueues, type Operations } from './state.ts';

const everyMs = 2_000;

/** What is waiting, how late, why, and what to do. */
export function OperationsScreen() {
  const { data, problem, reload } = useQuery('operations', loadOperations, everyMs);
  const canRun = may('jobs:run');
  const queues = useQuery(
    canRun && isAvailable('/api/v1/queues') ? 'queues' : undefined,
    loadQueues,
    everyMs,
  );
  return (
    <Screen
      title={texts.title}
      actions={
        <div class="range-bar">
          {data && (
            <span class={`badge is-${data.status === 'healthy' ? 'good' : 'bad'}`}>
              <span class={`dot is-${data.status}`} />
              {common.health[data.status]}
            </span>
          )}
          {data?.version && (
            <span class="badge">
              {texts.version} {data.version}
            </span>
          )}
          <a class="button small" href={`${basePath}/admin/queues`} target="_blank" rel="noopener">
            <Icon name="external" />
            {texts.board}
          </a>
        </div>
      }
    >
      {problem && <ProblemNote problem={problem} onRetry={reload} />}
      {data && (
        <div class={problem ? 'is-stale' : ''}>
          <Counting {...data.clicks} />
          <Troubles troubles={data.troubles} />
          <div class="panels facts-panels">
            <Stores stores={data.stores} />
            <KeyPool pool={data.key_pool} canRun={canRun} />
            {data.works && <Works works={data.works} />}
            <Load {...data} />
          </div>
          {queues.data && <Queues queues={queues.data} />}
          {canRun && !queues.data && <Jobs />}
        </div>
      )}
    </Screen>
  );
}

function Troubles({ troubles }: Pick<Operations, 'troubles'>) {
  if (troubles.length === 0)
    return (
      <p class="note is-good">
        <Icon name="check" />
        {texts.noTroubles}
      </p>
    );
  return (
    <section aria-label={texts.troubles}>
      {troubles.map(({ id, title, cause, since, effect, action, runbook_url: runbook }) => (
        <div key={id} class="note is-problem">
          <Icon name="alert" />
          <div>
            <strong>{title}</strong>{' '}
            {since && (
              <span class="quiet">
                {texts.since.toLowerCase()} <Time at={since} />
              </span>
            )}
            <p>{cause}</p>
            {effect && <p>{effect}</p>}
            {action && <p>{action}</p>}
          </div>
          {runbook && (
            <a class="button small" href={runbook} target="_blank" rel="noreferrer noopener">
              {texts.runbook}
            </a>
          )}
        </div>
      ))}
    </section>
  );
}
