import { call, get } from '../../api/client.ts';
import type { Report } from '../../api/types.ts';
import { useQuery } from '../../api/use-query.ts';
import { useShortcuts } from '../../keyboard/shortcuts.ts';
import { basePath, hrefOf, linkPath, query, setQuery } from '../../routing/router.ts';
import { say, sayProblem } from '../../state/messages.ts';
import { reportsTexts as texts } from '../../texts/en/reports.ts';
import { Choice } from '../../ui/field.tsx';
import { plain } from '../../ui/format.ts';
import { Empty, ProblemNote, Screen } from '../../ui/screen.tsx';
import { Time } from '../../ui/time.tsx';
import { BlockedHosts } from './blocked-hosts.tsx';

type State = 'open' | 'closed' | 'all';

/** Reports of visitors, and the hosts that links must not lead to. */
export function ReportsScreen() {
  const state = (query.value.get('state') ?? 'open') as State;
  const { data, problem, reload } = useQuery(
    `reports ${state}`,
    async (signal) => await get('/api/v1/reports', { query: { state }, signal }),
  );
  const close = async (report: Report, measures: { disable_url?: boolean; block_host?: boolean }) => {
    try {
      await call('post', '/api/v1/reports/{id}/close', { params: { id: report.id }, body: measures });
      say(measures.block_host ? texts.blocked : measures.disable_url ? texts.disabled : texts.closed);
    } catch (error) {
      sayProblem(error);
    }
    reload();
  };
  const first = () => data?.items.find((report) => report.closed_at === null);
  const onFirst = (measures: Parameters<typeof close>[1]) => {
    const report = first();
    if (report) void close(report, measures);
  };
  useShortcuts({
    1: () => onFirst({}),
    2: () => onFirst({ disable_url: true }),
    3: () => onFirst({ block_host: true }),
  });
  return (
    <Screen
      title={texts.title}
      actions={
        <Choice
          label={texts.state}
          value={state === 'open' ? '' : state}
          options={Object.entries(texts.states)}
          onChange={(value) => setQuery({ state: value })}
        />
      }
    >
      {problem && <ProblemNote problem={problem} onRetry={reload} />}
      {data?.items.length === 0 && (
        <Empty title={texts.none}>
          <p>{texts.noneHint}</p>
        </Empty>
      )}
      {first() && <p class="quiet screen-hint">{texts.keys}</p>}
      <ul class="cards">
        {data?.items.map((report) => (
          <ReportCard key={report.id} report={report} close={close} />
        ))}
      </ul>
      <BlockedHosts />
    </Screen>
  );
}

const ReportCard = (props: {
  report: Report;
  close: (report: Report, measures: { disable_url?: boolean; block_host?: boolean }) => Promise<void>;
}) => {
  const { report, close } = props;
  return (
    <li class="panel card">
      <div class="card-head">
        <span class="badge is-warn">{texts.reasons[report.reason] ?? report.reason}</span>
        <a class="code" href={hrefOf(linkPath(report.short_code))}>
          {plain(report.short_code)}
        </a>
        <span class="quiet">
          {texts.by} <Time at={report.created_at} />
        </span>
        {report.closed_at && (
          <span class="badge is-good">
            {texts.closedAt} <Time at={report.closed_at} />
          </span>
        )}
      </div>
      <p class="card-url">{plain(report.original_url)}</p>
      {report.comment && <blockquote>{plain(report.comment)}</blockquote>}
      <div class="card-actions">
        <a
          class="button small"
          href={`${basePath}/${encodeURIComponent(report.short_code)}+`}
          target="_blank"
          rel="noreferrer noopener"
        >
          {texts.preview}
        </a>
        {report.closed_at === null && (
          <>
            <button type="button" class="small" onClick={() => void close(report, {})}>
              {texts.close}
            </button>
            <button
              type="button"
              class="small danger"
              onClick={() => void close(report, { disable_url: true })}
            >
              {texts.disable}
            </button>
            <button
              type="button"
              class="small danger"
              onClick={() => void close(report, { block_host: true })}
            >
              {texts.block}
            </button>
          </>
        )}
      </div>
    </li>
  );
};
