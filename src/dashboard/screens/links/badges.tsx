import type { ShortUrl } from '../../api/types.ts';
import { hrefOf } from '../../routing/router.ts';
import { linksTexts } from '../../texts/en/links.ts';
import { formatCompact, formatRelative, plain } from '../../ui/format.ts';
import { Icon, type IconName } from '../../ui/icons.tsx';

const { badges } = linksTexts;

interface Badge {
  icon: IconName;
  text: string;
  kind: 'quiet' | 'warn' | 'bad';
}

/** What restricts a short URL, in words. */
export function badgesOf(url: ShortUrl, now = Date.now()): Badge[] {
  const { expires_at: expires, starts_at: starts, max_clicks: max, click_count: clicks } = url;
  const isExpired = expires !== null && Date.parse(expires) <= now;
  const found: (Badge | false)[] = [
    isExpired && { icon: 'clock', text: badges.expired, kind: 'bad' },
    !url.is_active && !isExpired && { icon: 'ban', text: badges.disabled, kind: 'bad' },
    expires !== null &&
      !isExpired && { icon: 'clock', text: badges.expires(formatRelative(expires)), kind: 'warn' },
    starts !== null &&
      Date.parse(starts) > now && {
        icon: 'clock',
        text: badges.starts(formatRelative(starts)),
        kind: 'warn',
      },
    url.has_password && { icon: 'lock', text: badges.password, kind: 'quiet' },
    url.is_one_time && { icon: 'limit', text: badges.oneTime, kind: 'quiet' },
    max !== null &&
      !url.is_one_time && {
        icon: 'limit',
        text: badges.limit(formatCompact(Math.min(clicks, max)), formatCompact(max)),
        kind: clicks >= max ? 'bad' : 'quiet',
      },
  ];
  return found.filter((badge) => badge !== false);
}

export const Badges = ({ url }: { url: ShortUrl }) => (
  <>
    {badgesOf(url).map(({ icon, text, kind }) => (
      <span key={icon + text} class={`badge is-${kind}`} title={text}>
        <Icon name={icon} />
        <span class="badge-text cut">{text}</span>
      </span>
    ))}
  </>
);

export const Tags = ({ tags }: { tags: readonly string[] }) => (
  <>
    {tags.map((tag) => (
      <a key={tag} class="tag" href={hrefOf(`/?tag=${encodeURIComponent(tag)}`)}>
        {plain(tag)}
      </a>
    ))}
  </>
);
