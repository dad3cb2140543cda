import { hrefOf, linkPath } from '../routing/router.ts';
import { chartTexts } from '../texts/en/charts.ts';
import { liveTexts as texts } from '../texts/en/live.ts';
import { formatCountry, formatNumber, formatTime, plain } from '../ui/format.ts';
import type { LiveClicks } from './use-clicks.ts';

/** Clicks that were counted while the page is open, the latest first. */
export function Events({ events }: Pick<LiveClicks, 'events'>) {
  if (events.length === 0)
    return (
      <section class="panel live-events">
        <h2>{texts.events}</h2>
        <p class="quiet">{texts.none}</p>
      </section>
    );
  return (
    <section class="panel table-panel live-events" tabIndex={0} aria-label={texts.events}>
      <table>
        <thead>
          <tr>
            <th scope="col">{texts.columns.at}</th>
            <th scope="col">{texts.columns.code}</th>
            <th scope="col">{texts.columns.country}</th>
            <th scope="col">{texts.columns.referrer}</th>
            <th scope="col">{texts.columns.client}</th>
            <th scope="col" class="number">
              {texts.columns.clicks}
            </th>
          </tr>
        </thead>
        <tbody>
          {events.map((click) => (
            <tr key={click.key}>
              <td>{formatTime(click.at)}</td>
              <td>
                <a class="code" href={hrefOf(linkPath(click.short_code))}>
                  {plain(click.short_code)}
                </a>
              </td>
              <td>{click.country ? formatCountry(click.country) : <Unknown />}</td>
              <td class="cut">{click.referrer ? plain(click.referrer) : <Unknown />}</td>
              <td>
                {[click.browser, click.os].filter(Boolean).map(plain).join(', ') || <Unknown />}{' '}
                {click.is_bot && <span class="badge is-warn">{texts.bot}</span>}
              </td>
              <td class="number">{formatNumber(click.clicks)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const Unknown = () => <span class="quiet">{chartTexts.unknown}</span>;
