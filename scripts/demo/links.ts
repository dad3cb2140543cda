import type { Random } from './random.ts';
import { type Section, sections } from './sections.ts';

const dayMs = 86_400_000;

/** A demo link: what the API creates, and what is known about its history. */
export interface DemoLink {
  section: Section;
  /** The body of `POST /api/v1/urls`. */
  input: Record<string, unknown> & { original_url: string };
  createdAt: Date;
  /** For links that have expired already, which the API does not create. */
  expiredAt?: Date | undefined;
  /** No clicks after this time, and none before `createdAt`. */
  endsAt?: Date | undefined;
  maxClicks?: number | undefined;
}

/** Settings by position in the list, which is shuffled: a few links of each kind. Times are relative to `now`. */
function settingsOf(
  position: number,
  now: Date,
): Pick<DemoLink, 'expiredAt' | 'endsAt' | 'maxClicks'> & { settings: object } {
  const at = (days: number) => new Date(now.getTime() + days * dayMs);
  const group = Math.floor(position / 10);
  switch (position % 20) {
    case 3:
      return { settings: { expires_at: at(2 + group).toISOString() } };
    case 7:
      return { settings: {}, expiredAt: at(-1 - group), endsAt: at(-1 - group) };
    case 11:
      return { settings: { is_active: false }, endsAt: at(-3 - group) };
    case 13:
      return { settings: { max_clicks: 40 + 60 * group }, maxClicks: 40 + 60 * group };
    case 15:
      // Few: the service hashes one password at a time.
      return group % 4 === 1
        ? { settings: { password: 'demo-password', notes: 'The password is demo-password.' } }
        : { settings: { fallback_url: 'https://www.example.com/' } };
    case 17:
      return group % 4 === 1
        ? { settings: { is_one_time: true }, maxClicks: 1 }
        : { settings: { starts_at: at(3 + group).toISOString() }, endsAt: at(-400) };
    case 19:
      return { settings: { forward_query: true, redirect_status: 302 } };
    default:
      return { settings: {} };
  }
}

const slugOf = (title: string) =>
  title
    .toLowerCase()
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^a-z\d]+/g, '-')
    .replaceAll(/^-|-$/g, '');

/** Sources that campaigns add to their URLs. */
const queryOf = ({ tag }: Section, slug: string) =>
  ['newsletter', 'campaign', 'print'].includes(tag) ? `?utm_source=${tag}&utm_campaign=${slug}` : '';

/** 200 links, created in the year before `now`, the oldest first. */
export function createDemoLinks(random: Random, now: Date): DemoLink[] {
  const all = sections.flatMap((section) =>
    section.titles.split('|').map((title) => ({ section, title: title.trim() })),
  );
  const shuffled = all.map((link) => ({ link, at: random.next() })).toSorted((a, b) => a.at - b.at);
  return shuffled.map(({ link }, position) =>
    createLink(link, { position, count: shuffled.length, random, now }),
  );
}

function createLink(
  { section, title }: { section: Section; title: string },
  { position, count, random, now }: { position: number; count: number; random: Random; now: Date },
): DemoLink {
  const slug = slugOf(title);
  const { settings, ...history } = settingsOf(position, now);
  // More and more links a month.
  const ageDays = 1 + 330 * (1 - Math.sqrt((position + 1) / count)) + random.next();
  const isCustom = slug.length >= 4 && slug.length <= 24 && random.next() < 0.45;
  return {
    section,
    ...history,
    createdAt: new Date(now.getTime() - ageDays * dayMs),
    input: {
      original_url: `${section.base}${slug}${queryOf(section, slug)}`,
      title,
      tags: random.next() < 0.2 ? [section.tag, 'team-picks'] : [section.tag],
      ...(isCustom && { custom_code: slug }),
      ...settings,
    },
  };
}
