import { get } from '../../api/client.ts';
import { useQuery } from '../../api/use-query.ts';
import { Bars } from '../../charts/bars.tsx';
import { hrefOf, linkPath, navigate, query } from '../../routing/router.ts';
import { may } from '../../state/session.ts';
import { chartTexts as texts } from '../../texts/en/charts.ts';
import { formatNumber, plain, shortenUrl } from '../../ui/format.ts';
import { ProblemNote, Screen } from '../../ui/screen.tsx';
import { draft } from '../links/create/create-state.ts';
import { ClicksChart, Panels } from './panels.tsx';
import { RangeBar } from './range-bar.tsx';
import { rangeQuery } from './range.ts';
import { TagChoice } from './tag-choice.tsx';

const maxRows = 10;

/** The clicks of all links, or of those with a tag. */
export function AnalyticsScreen() {
  const tag = query.value.get('tag') ?? undefined;
  return (
    <Screen
      title={texts.title}
      actions={
        <div class="range-bar">
          <TagChoice />
          <RangeBar />
        </div>
      }
    >
      <ClicksChart scope={{ tag }} />
      <div class="panels is-halves">
        <TopUrls tag={tag} />
        <UnknownCodes />
      </div>
      <Panels scope={{ tag }} />
    </Screen>
  );
}

function TopUrls({ tag }: { tag: string | undefined }) {
  const all = { ...rangeQuery.value, tag, limit: maxRows };
  const { data, problem } = useQuery(
    JSON.stringify(all),
    async (signal) => await get('/api/v1/analytics/top-urls', { query: all, signal }),
  );
  return (
    <section class="panel" aria-busy={data === undefined}>
      <h2>{texts.topUrls}</h2>
      {problem && <ProblemNote problem={problem} />}
      {data && (
        <Bars
          label={texts.topUrls}
          total={data.clicks}
          bars={data.items.map((url) => ({
            key: url.short_code,
            name: (
              <>
                <span class="code">{plain(url.short_code)}</span>{' '}
                <span class="quiet">{plain(url.title ?? '') || shortenUrl(url.original_url)}</span>
              </>
            ),
            value: url.clicks,
            href: hrefOf(linkPath(url.short_code)),
          }))}
        />
      )}
    </section>
  );
}

function UnknownCodes() {
  const { data } = useQuery(
    'unknown codes',
    async (signal) => await get('/api/v1/analytics/unknown-codes', { query: { limit: 30 }, signal }),
  );
  const requests = new Map<string, number>();
  for (const { codes } of data?.items ?? [])
    for (const code of codes)
      requests.set(code.short_code, (requests.get(code.short_code) ?? 0) + code.requests);
  const rows = [...requests].toSorted(([, a], [, b]) => b - a).slice(0, maxRows);
  return (
    <section class="panel" aria-busy={data === undefined}>
      <h2>
        {texts.unknownCodes} <span class="quiet">{texts.unknownHint}</span>
      </h2>
      {data && rows.length === 0 && <p class="quiet">{texts.noUnknown}</p>}
      <ul class="plain-rows">
        {rows.map(([code, count]) => (
          <li key={code}>
            <span class="code cut grow">{plain(code)}</span>
            <span class="number">{formatNumber(count)}</span>
            {may('urls:write') && (
              <button
                type="button"
                class="small"
                onClick={() => {
                  draft.code.value = code;
                  navigate('/');
                }}
              >
                {texts.createThis}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
