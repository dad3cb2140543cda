import { useState } from 'preact/hooks';
import { call } from '../../api/client.ts';
import type { ShortUrl } from '../../api/types.ts';
import { useQuery } from '../../api/use-query.ts';
import { useShortcuts } from '../../keyboard/shortcuts.ts';
import { Events } from '../../live/events.tsx';
import { useClicks } from '../../live/use-clicks.ts';
import { hrefOf, linkPath, navigate } from '../../routing/router.ts';
import { say, sayProblem } from '../../state/messages.ts';
import { may } from '../../state/session.ts';
import { linkTexts as texts } from '../../texts/en/link.ts';
import { linksTexts } from '../../texts/en/links.ts';
import { liveTexts } from '../../texts/en/live.ts';
import { copyAndSay, CopyButton } from '../../ui/copy.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { formatNumber, plain } from '../../ui/format.ts';
import { Icon } from '../../ui/icons.tsx';
import { ProblemNote, Screen } from '../../ui/screen.tsx';
import { Time } from '../../ui/time.tsx';
import { ClicksChart, Panels } from '../analytics/panels.tsx';
import { RangeBar } from '../analytics/range-bar.tsx';
import { Badges, Tags } from '../links/badges.tsx';
import { deleteOne } from '../links/bulk-state.ts';
import { QrDialog } from '../links/qr-dialog.tsx';
import { SettingRow } from './setting-row.tsx';
import { settings } from './settings-list.ts';
import { loadUrl } from './url-state.ts';

const shownClicks = 20;

/** One short URL: its clicks, and each of its settings. */
export function LinkScreen({ code }: { code: string }) {
  const { data: url, problem, reload, set } = useQuery(code, async (signal) => await loadUrl(code, signal));
  const [hasQr, setQr] = useState(false);
  const onUrl = (next: ShortUrl) => {
    set(next);
    if (next.short_code !== code) navigate(linkPath(next.short_code), { replace: true });
  };
  useShortcuts({
    y: () => void (url && copyAndSay(url.short_url)),
    q: () => setQr(true),
    e: () => document.querySelector<HTMLElement>('[data-setting]')?.focus(),
    '#': () => url && may('urls:write') && void remove(url),
  });
  const canWrite = may('urls:write');
  return (
    <Screen
      title={texts.title(plain(code))}
      heading={
        <span class="link-heading">
          <a class="back" href={hrefOf('/')} aria-label={texts.back}>
            <Icon name="chevron" />
          </a>
          <span class="short-url">
            {url ? plain(url.short_url).replace(/^https?:\/\//, '') : plain(code)}
          </span>
        </span>
      }
      actions={
        url && (
          <div class="range-bar">
            <CopyButton text={url.short_url} label={linksTexts.copy} hasText />
            <button type="button" onClick={() => setQr(true)}>
              <Icon name="qr" />
              {texts.qr}
            </button>
            <a class="button" href={`${url.short_url}+`} target="_blank" rel="noopener" title={texts.preview}>
              <Icon name="external" />
              {linksTexts.open}
            </a>
          </div>
        )
      }
    >
      {problem && <ProblemNote problem={problem} onRetry={problem.isTemporary ? reload : undefined} />}
      {url && (
        <div class="link-columns">
          <div class="link-main">
            <Facts url={url} />
            {may('stats:read') && (
              <>
                <RangeBar />
                <ClicksChart scope={{ code: url.short_code }} />
                <Panels scope={{ code: url.short_code }} />
                <LastClicks url={url} />
              </>
            )}
          </div>
          <aside class="link-side">
            <section class="panel">
              <h2>{texts.settings}</h2>
              <ul class="settings">
                {settings.map((setting) => (
                  <SettingRow key={setting.name} {...{ url, setting, canWrite, onUrl }} />
                ))}
              </ul>
            </section>
            {canWrite && <Danger url={url} onErased={reload} />}
          </aside>
          {hasQr && <QrDialog url={url} onClose={() => setQr(false)} />}
        </div>
      )}
    </Screen>
  );
}

/** The clicks on the link and its aliases since the page was opened. */
function LastClicks({ url }: { url: ShortUrl }) {
  const { events, state } = useClicks({ shortCode: url.short_code }, false);
  return (
    <>
      {state === 'lost' && <p class="note is-problem">{liveTexts.lost}</p>}
      <Events events={events.slice(0, shownClicks)} />
    </>
  );
}

async function remove(url: ShortUrl): Promise<void> {
  if (await deleteOne(url)) navigate('/');
}

const Facts = ({ url }: { url: ShortUrl }) => (
  <div class="facts">
    <a class="target" href={url.original_url} target="_blank" rel="noreferrer noopener">
      {plain(url.original_url)}
    </a>
    <div class="facts-line">
      <strong>{linksTexts.clicks(url.click_count)}</strong>
      <Badges url={url} />
      <Tags tags={url.tags} />
      <span class="quiet">
        {texts.createdAt} <Time at={url.created_at} />
      </span>
      {url.last_accessed_at && (
        <span class="quiet">
          {texts.lastClick} <Time at={url.last_accessed_at} />
        </span>
      )}
      {url.aliases.length > 0 && (
        <span class="quiet">
          {texts.aliases}: {formatNumber(url.aliases.length)} ({url.aliases.map(plain).join(', ')})
        </span>
      )}
    </div>
  </div>
);

function Danger({ url, onErased }: { url: ShortUrl; onErased: () => void }) {
  const [isAsked, setAsked] = useState(false);
  const erase = async () => {
    try {
      await call('delete', '/api/v1/urls/{short_code}/clicks', { params: { short_code: url.short_code } });
      say(texts.erased);
      onErased();
    } catch (error) {
      sayProblem(error);
    }
  };
  return (
    <section class="panel danger-zone">
      <h2>{texts.danger}</h2>
      <div>
        <p class="quiet">{texts.eraseText}</p>
        <button type="button" class="danger" onClick={() => setAsked(true)}>
          {texts.erase}
        </button>
      </div>
      <div>
        <p class="quiet">{texts.deleteText}</p>
        <button type="button" class="danger" onClick={() => void remove(url)}>
          {texts.delete}
        </button>
      </div>
      {isAsked && (
        <Confirm
          title={texts.eraseConfirm}
          text={texts.eraseText}
          action={texts.erase}
          onConfirm={() => void erase()}
          onClose={() => setAsked(false)}
        />
      )}
    </section>
  );
}
