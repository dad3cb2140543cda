import type { ShortUrl } from '../../api/types.ts';
import { Sparkline } from '../../charts/sparkline.tsx';
import { hrefOf, linkPath } from '../../routing/router.ts';
import { linksTexts as texts } from '../../texts/en/links.ts';
import { CopyButton } from '../../ui/copy.tsx';
import { formatCompact, plain, shortenUrl } from '../../ui/format.ts';
import { Icon } from '../../ui/icons.tsx';
import { Badges, Tags } from './badges.tsx';
import { deleteOne } from './bulk-state.ts';
import { isSelected } from './list-state.ts';
import { QrButton } from './qr-button.tsx';

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

/** One short URL in the list. */
export function Row({
  url,
  trend,
  canWrite,
  onToggle,
}: {
  url: ShortUrl;
  trend: number[] | undefined;
  canWrite: boolean;
  onToggle: (code: string) => void;
}) {
  const code = plain(url.short_code);
  return (
    <li class={isSelected(url.short_code) ? 'row is-selected' : 'row'} data-code={url.short_code}>
      {canWrite && (
        <label class="row-select">
          <input
            type="checkbox"
            aria-label={texts.select(code)}
            checked={isSelected(url.short_code)}
            onChange={() => onToggle(url.short_code)}
          />
        </label>
      )}
      <div class="row-code">
        <a class="code" href={hrefOf(linkPath(url.short_code))}>
          {code}
        </a>
        <Badges url={url} />
      </div>
      <div class="row-target">
        {url.title && <span class="row-title">{plain(url.title)}</span>}
        <a class="target" href={url.original_url} target="_blank" rel="noreferrer noopener">
          {shortenUrl(url.original_url)}
        </a>
      </div>
      <div class="row-tags">
        <Tags tags={url.tags} />
      </div>
      <div class="row-trend">{trend && <Sparkline values={trend} label={texts.trend(sum(trend))} />}</div>
      <a
        class="row-clicks"
        href={hrefOf(linkPath(url.short_code))}
        aria-label={texts.clicks(url.click_count)}
        tabIndex={-1}
      >
        {formatCompact(url.click_count)}
      </a>
      <div class="row-actions">
        <CopyButton text={url.short_url} label={texts.copy} />
        <QrButton url={url} />
        {canWrite && (
          <button
            type="button"
            class="icon-button"
            aria-label={texts.remove}
            title={texts.remove}
            onClick={() => void deleteOne(url)}
          >
            <Icon name="trash" />
          </button>
        )}
      </div>
    </li>
  );
}
