import { runJob } from '../../state/run-job.ts';
import { operationsTexts } from '../../texts/en/operations.ts';
import { formatNumber, plain } from '../../ui/format.ts';
import { Icon } from '../../ui/icons.tsx';
import { Time } from '../../ui/time.tsx';
import { Fact } from './facts.tsx';
import type { Queue } from './state.ts';

const texts = operationsTexts.audit;

/** Producers and differences that are listed. */
const maxListed = 3;

/** What the job `audit` found. */
interface Result {
  exact: boolean;
  /** Set, without the rest, if the worker was stopped. */
  interrupted: boolean;
  accepted: number;
  counted: number;
  dead_letters: number;
  producers: { producer: string; accepted: number; counted: number }[];
  /** Links whose comparison took too long. */
  skipped: number;
  difference_count: number;
  differences: { short_code: string; metric: string; expected: number; found: number }[];
}

const resultOf = ({ last_run: last }: Queue) => (last?.result ?? {}) as Partial<Result>;

function stateOf({ exact, interrupted }: Partial<Result>) {
  if (exact === undefined) return interrupted ? 'interrupted' : 'failed';
  return exact ? 'exact' : 'different';
}

/** The result of the last audit, and a button for the next one. */
export function Audit({ queue }: { queue: Queue }) {
  const { last_run: last, running } = queue;
  const state = last === null ? 'never' : stateOf(resultOf(queue));
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

/** What differs or was not compared, according to the last audit. */
export function Differences({ queue }: { queue: Queue }) {
  const result = resultOf(queue);
  if (result.exact !== false) return null;
  const { accepted, counted, dead_letters: deadLetters, skipped, producers, ...found } = result as Result;
  return (
    <div class="note is-problem">
      <Icon name="alert" />
      <div>
        <strong>{texts.found(found.difference_count)}</strong>
        <p>{texts.ledger(formatNumber(accepted), formatNumber(counted))}</p>
        {producers.slice(0, maxListed).map((one) => (
          <p key={one.producer}>
            <code>{one.producer}</code> {texts.ledger(formatNumber(one.accepted), formatNumber(one.counted))}
          </p>
        ))}
        {deadLetters > 0 && <p>{texts.deadLetters(formatNumber(deadLetters))}</p>}
        {skipped > 0 && <p>{texts.skipped(formatNumber(skipped))}</p>}
        {found.differences.slice(0, maxListed).map(({ short_code: code, metric, expected, found }) => (
          <p key={code + metric}>
            <code>{plain(code)}</code> {texts.difference(metric, formatNumber(expected), formatNumber(found))}
          </p>
        ))}
      </div>
    </div>
  );
}
