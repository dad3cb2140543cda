import { useState } from 'preact/hooks';
import { useQuery } from '../../api/use-query.ts';
import { basePath } from '../../routing/router.ts';
import { runJob } from '../../state/run-job.ts';
import { operationsTexts as texts } from '../../texts/en/operations.ts';
import { formatDuration, formatNumber, plain } from '../../ui/format.ts';
import { Icon } from '../../ui/icons.tsx';
import { ProblemNote } from '../../ui/screen.tsx';
import { Time } from '../../ui/time.tsx';
import { loadFailures, type Queue } from './state.ts';

/** Every queue: what waits, what runs, how the last run ended, and when the next one is. */
export function Queues({ queues }: { queues: readonly Queue[] }) {
  const [open, setOpen] = useState<string>();
  const { columns } = texts;
  return (
    <section class="panel table-panel queues" tabIndex={0} aria-label={texts.queues}>
      <table>
        <thead>
          <tr>
            <th scope="col">{columns.name}</th>
            <th scope="col" class="number">
              {columns.waiting}
            </th>
            <th scope="col">{columns.oldest}</th>
            <th scope="col">{columns.running}</th>
            <th scope="col">{columns.last}</th>
            <th scope="col" class="number">
              {columns.failed}
            </th>
            <th scope="col">{columns.next}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {queues.map((queue) => (
            <>
              <QueueRow
                key={queue.name}
                queue={queue}
                isOpen={open === queue.name}
                onToggle={() => setOpen(open === queue.name ? undefined : queue.name)}
              />
              {open === queue.name && <Failures key={`${open} failures`} name={open} />}
            </>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const ageOf = (time: string) => formatDuration(Math.max(0, Date.now() - Date.parse(time)));

function QueueRow(props: { queue: Queue; isOpen: boolean; onToggle: () => void }) {
  const { queue, isOpen, onToggle } = props;
  const { name, last_run: last, failed_24h: failed, oldest_waiting_ms: oldest } = queue;
  return (
    <tr>
      <td title={queue.description}>
        <code>{name}</code> {queue.is_paused && <span class="badge is-bad">{texts.paused}</span>}
        {queue.workers === 0 && <span class="badge is-bad">{texts.noWorker}</span>}
      </td>
      <td class="number">{formatNumber(queue.waiting)}</td>
      <td class={oldest !== null && oldest > 30_000 ? 'is-error' : ''}>
        {oldest === null ? '–' : formatDuration(oldest)}
      </td>
      <td>
        {queue.running.length === 0 ? '–' : queue.running.map((job) => <Running key={job.id} {...job} />)}
      </td>
      <td class={last?.state === 'failed' ? 'is-error' : ''}>
        {last ? `${texts.ago(ageOf(last.finished_at))}, ${formatDuration(last.duration_ms)}` : '–'}
      </td>
      <td class="number">
        {failed === 0 ? (
          0
        ) : (
          <button
            type="button"
            class="small is-error"
            aria-expanded={isOpen}
            aria-label={texts.failuresOf(name, failed)}
            onClick={onToggle}
          >
            {formatNumber(failed)} {isOpen ? '▾' : '▸'}
          </button>
        )}
      </td>
      <td>{nextOf(queue)}</td>
      <td class="actions">
        {!queue.needs_data && (
          <button
            type="button"
            class="small"
            aria-label={texts.runJob(name)}
            onClick={() => void runJob(name)}
          >
            {texts.run}
          </button>
        )}{' '}
        <a
          class="icon-button"
          href={`${basePath}/admin/queues/queue/${name}`}
          aria-label={`${texts.board}: ${name}`}
          target="_blank"
          rel="noopener"
        >
          <Icon name="external" />
        </a>
      </td>
    </tr>
  );
}

/** A running job with its progress in percent. The ID of a scheduled one is only its time. */
const Running = ({ id, progress }: { id: string; progress: number }) => (
  <span class="running">
    {!id.startsWith('repeat:') && `#${id}`}
    <progress max={100} value={progress} aria-label={`#${id}`} /> {Math.floor(progress)} %
  </span>
);

function nextOf({ next_run_at: next, waiting }: Queue): string {
  if (next === null) return waiting > 0 ? '–' : texts.onDemand;
  const ms = Date.parse(next) - Date.now();
  return ms < 1_000 ? texts.isDue : texts.inTime(formatDuration(ms));
}

/** Why the last jobs of a queue failed. */
function Failures({ name }: { name: string }) {
  const { data, problem } = useQuery(name, async (signal) => await loadFailures(name, signal));
  return (
    <tr class="failures">
      <td colSpan={8}>
        {problem && <ProblemNote problem={problem} />}
        {data?.map(({ id, error, attempts, failed_at: at, data: input }) => (
          <p key={id}>
            <span class="is-error">{messageOf(error)}</span>{' '}
            <span class="quiet">
              <Time at={at} /> · {texts.attempts(attempts)} · <code>{plain(JSON.stringify(input))}</code>
            </span>
          </p>
        ))}
      </td>
    </tr>
  );
}

/** An error of PostgreSQL comes after its statement and " - ". */
const messageOf = (error: string) => plain(error.split(' - ').at(-1)!);
