import { runJob } from '../../state/run-job.ts';
import { operationsTexts } from '../../texts/en/operations.ts';
import { formatNumber, plain } from '../../ui/format.ts';
import { Icon } from '../../ui/icons.tsx';
import { Time } from '../../ui/time.tsx';
import { Fact } from './facts.tsx';
import type { Queue } from './state.ts';

const texts = operationsTexts.audit;

/** What the job `audit` found. */
interface Result {
  exact?: boolean;
  accepted: number;
  counted: number;
  difference_count: number;
  differences: { short_code: string; metric: string; expected: number; found: number }[];
}

const resultOf = ({ last_run: last }: Queue) => (last?.result ?? {}) as Partial<Result>;

/** The result of the last audit, and a button for the next one. */
export function Audit({ queue }: { queue: Queue }) {
  const { last_run: last, running } = queue;
  const { exact } = resultOf(queue);
  const state = last === null ? 'never' : exact === undefined ? 'failed' : exact ? 'exact' : 'different';
  return (
    <Fact name={texts.title}>
      <span class={state === 'failed' || state === 'different' ? 'is-error' : ''}>
        {running[0] ? `${Math.floor(running[0].progress)} %` : texts[state]}
      </span>{' '}
      <button
        type="button"
        class="small"
        aria-label={operationsTexts.runJob('audit')}
        onClick={() => void runJob('audit')}
      >
        {operationsTexts.run}
      </button>
      {last && (
        <span class="quiet">
          <Time at={last.finished_at} />
        </span>
      )}
    </Fact>
  );
}

/** What differs, according to the last audit. */
export function Differences({ queue }: { queue: Queue }) {
  const { exact, accepted = 0, counted = 0, difference_count: count = 0, differences = [] } = resultOf(queue);
  if (exact !== false) return null;
  return (
    <div class="note is-problem">
      <Icon name="alert" />
      <div>
        <strong>{texts.found(count)}</strong>
        <p>{texts.ledger(formatNumber(accepted), formatNumber(counted))}</p>
        {differences.slice(0, 3).map(({ short_code: code, metric, expected, found }) => (
          <p key={code + metric}>
            <code>{plain(code)}</code> {texts.difference(metric, formatNumber(expected), formatNumber(found))}
          </p>
        ))}
      </div>
    </div>
  );
}
