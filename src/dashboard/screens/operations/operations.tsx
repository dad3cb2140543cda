import { useQuery } from '../../api/use-query.ts';
import { basePath } from '../../routing/router.ts';
import { may } from '../../state/session.ts';
import { common } from '../../texts/en/common.ts';
import { operationsTexts as texts } from '../../texts/en/operations.ts';
import { Icon } from '../../ui/icons.tsx';
import { ProblemNote, Screen } from '../../ui/screen.tsx';
import { Time } from '../../ui/time.tsx';
import { Audit, Differences } from './audit.tsx';
import { Counting, KeyPool, Load, Stores, Works } from './facts.tsx';
import { Queues } from './queues.tsx';
import { loadOperations, loadQueues, type Operations, type Trouble } from './state.ts';

const everyMs = 2_000;

/** What is waiting, how late, why, and what to do. It polls: over HTTP/1.1 a stream would take one of the six connections of the browser. */
export function OperationsScreen() {
  const { data, problem, reload } = useQuery('operations', loadOperations, everyMs);
  const canRun = may('jobs:run');
  const queues = useQuery(canRun ? 'queues' : undefined, loadQueues, everyMs);
  const audit = queues.data?.find(({ name }) => name === 'audit');
  return (
    <Screen
      title={texts.title}
      actions={
        <div class="range-bar">
          {data && (
            <>
              <span class={`badge is-${data.status === 'healthy' ? 'good' : 'bad'}`}>
                <span class={`dot is-${data.status}`} />
                {common.health[data.status]}
              </span>
              <span class="badge">
                {texts.version} {data.version}
              </span>
            </>
          )}
          {canRun && (
            <a class="button small" href={`${basePath}/admin/queues`} target="_blank" rel="noopener">
              <Icon name="external" />
              {texts.board}
            </a>
          )}
        </div>
      }
    >
      {problem && <ProblemNote problem={problem} onRetry={reload} />}
      {data && (
        <div class={problem ? 'is-stale' : ''}>
          <Troubles troubles={data.troubles} />
          {audit && <Differences queue={audit} />}
          <Counting {...data}>{audit && <Audit queue={audit} />}</Counting>
          <div class="panels facts-panels">
            <Load {...data} />
            <Stores {...data} />
            <KeyPool pool={data.key_pool} canRun={canRun} />
            <Works {...data} />
          </div>
          {queues.problem && !data.troubles.some(explainsQueues) && <ProblemNote problem={queues.problem} />}
          {queues.data && (
            <div class={queues.problem ? 'is-stale' : ''}>
              <Queues queues={queues.data.filter((queue) => queue !== audit)} />
            </div>
          )}
        </div>
      )}
    </Screen>
  );
}

/** Whether a trouble says why the queues cannot be read. */
const explainsQueues = ({ id }: Trouble) => /^(redis_(?!evicts|cache)|postgres_unavailable)/.test(id);

const Troubles = ({ troubles }: Pick<Operations, 'troubles'>) => (
  <section class="troubles" aria-label={texts.troubles}>
    {troubles.map(({ id, title, cause, since, effect, action }) => (
      <div key={id} class="note is-problem">
        <Icon name="alert" />
        <div>
          <strong>{title}</strong>{' '}
          {since && (
            <span class="quiet">
              {texts.since} <Time at={since} />
            </span>
          )}{' '}
          {withCode(cause)}
          <p>
            {effect} <strong>{texts.toDo}</strong> {withCode(action)}
          </p>
        </div>
        <a class="button small" href={`${basePath}/docs/runbook#${id}`} target="_blank" rel="noopener">
          {texts.runbook}
        </a>
      </div>
    ))}
  </section>
);

const withCode = (text: string) =>
  text.split('`').map((part, i) => (i % 2 === 0 ? part : <code key={part}>{part}</code>));
