import { operationsTexts as texts } from '../../texts/en/operations.ts';
import { formatDuration, formatNumber, plain } from '../../ui/format.ts';
import { runJob } from './run-job.ts';
import type { Queue } from './state.ts';

/** Every queue: what waits, what runs, how the last run ended, and when the next one is. */
export const Queues = ({ queues }: { queues: readonly Queue[] }) => (
  <section class="panel table-panel" tabIndex={0} aria-label={texts.queues}>
    <table>
      <thead>
        <tr>
          <th scope="col">{texts.columns.name}</th>
          <th scope="col" class="number">
            {texts.columns.waiting}
          </th>
          <th scope="col">{texts.columns.oldest}</th>
          <th scope="col">{texts.columns.running}</th>
          <th scope="col">{texts.columns.last}</th>
          <th scope="col" class="number">
            {texts.columns.failed}
          </th>
          <th scope="col">{texts.columns.next}</th>
          <td />
        </tr>
      </thead>
      <tbody>
        {queues.map((queue) => (
          <QueueRow key={queue.name} queue={queue} />
        ))}
      </tbody>
    </table>
  </section>
);

const ageOf = (time: string) => formatDuration(Math.max(0, Date.now() - Date.parse(time)));

function QueueRow({ queue }: { queue: Queue }) {
  const { name, description, last_run: last, next_run_at: next, failed_24h: failed } = queue;
  return (
    <tr>
      <td title={description}>
        <code>{name}</code> {queue.is_paused && <span class="badge is-bad">{texts.paused}</span>}
      </td>
      <td class="number">{formatNumber(queue.waiting)}</td>
      <td>{queue.oldest_waiting_ms === null ? '–' : formatDuration(queue.oldest_waiting_ms)}</td>
      <td>
        {queue.running.length === 0
          ? '–'
          : queue.running.map(({ id, progress }) => (
              <span key={id} class="running">
                #{plain(id)} <progress max={100} value={progress} aria-label={`#${id}`} />{' '}
                {Math.floor(progress)} %
              </span>
            ))}
      </td>
      <td class={last?.state === 'failed' ? 'is-error' : ''}>
        {last ? `${texts.ago(ageOf(last.finished_at))}, ${formatDuration(last.duration_ms)}` : '–'}
      </td>
      <td class={failed > 0 ? 'number is-error' : 'number'}>{formatNumber(failed)}</td>
      <td>
        {next ? texts.inTime(formatDuration(Math.max(0, Date.parse(next) - Date.now()))) : texts.onDemand}
      </td>
      <td class="actions">
        <RunButton name={name} />
      </td>
    </tr>
  );
}

const RunButton = ({ name }: { name: string }) => (
  <button type="button" class="small" aria-label={texts.runJob(name)} onClick={() => void runJob(name)}>
    {texts.run}
  </button>
);

/** Jobs on demand, where the service does not list its queues. */
export const Jobs = () => (
  <section class="panel table-panel" aria-label={texts.jobs}>
    <h2>{texts.jobs}</h2>
    <table>
      <tbody>
        {Object.entries(texts.jobDescriptions).map(([name, description]) => (
          <tr key={name}>
            <td>
              <code>{name}</code>
            </td>
            <td class="quiet">{description}</td>
            <td class="actions">
              <RunButton name={name} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);
