import { z } from 'zod';

/** IANA names without a region, by the zone that they link to (`backward` file, 2024b). PostgreSQL reads some of them as abbreviations, which
 *  have no daylight saving time. */
const namesWithoutRegion = new Map(
  Object.entries({
    UTC: 'UTC UCT GMT GMT0 GMT+0 GMT-0 Greenwich Universal Zulu',
    'America/Panama': 'EST',
    'America/Phoenix': 'MST',
    'Pacific/Honolulu': 'HST',
    'America/New_York': 'EST5EDT',
    'America/Chicago': 'CST6CDT',
    'America/Denver': 'MST7MDT Navajo',
    'America/Los_Angeles': 'PST8PDT',
    'Europe/Brussels': 'CET MET',
    'Europe/Athens': 'EET',
    'Europe/Lisbon': 'WET Portugal',
    'Europe/London': 'GB GB-Eire',
    'Europe/Dublin': 'Eire',
    'Europe/Istanbul': 'Turkey',
    'Europe/Moscow': 'W-SU',
    'Europe/Warsaw': 'Poland',
    'Atlantic/Reykjavik': 'Iceland',
    'Africa/Cairo': 'Egypt',
    'Africa/Tripoli': 'Libya',
    'America/Havana': 'Cuba',
    'America/Jamaica': 'Jamaica',
    'Asia/Hong_Kong': 'Hongkong',
    'Asia/Jerusalem': 'Israel',
    'Asia/Seoul': 'ROK',
    'Asia/Shanghai': 'PRC',
    'Asia/Singapore': 'Singapore',
    'Asia/Taipei': 'ROC',
    'Asia/Tehran': 'Iran',
    'Asia/Tokyo': 'Japan',
    'Pacific/Auckland': 'NZ',
    'Pacific/Chatham': 'NZ-CHAT',
    'Pacific/Kwajalein': 'Kwajalein',
  }).flatMap(([zone, names]) => names.split(' ').map((name) => [name.toLowerCase(), zone] as const)),
);

const mustBeZone = 'must be an IANA time zone, such as Europe/Berlin, or UTC';

/** The name of an IANA time zone for PostgreSQL, from a name in any case; or why it is rejected. */
export function readTimeZone(name: string): { zone: string } | { refused: string } {
  const known = namesWithoutRegion.get(name.toLowerCase());
  if (known !== undefined) return { zone: known };
  if (/^[A-Za-z]{2,5}$/.test(name))
    return { refused: `${mustBeZone}; an abbreviation such as PST or IST has several meanings` };
  return /^[A-Za-z_]+(?:\/[A-Za-z0-9_+-]+)+$/.test(name) && isKnown(name)
    ? { zone: name }
    : { refused: mustBeZone };
}

function isKnown(name: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    return false;
  }
}

/** The name of a time zone, in any case. */
export const timeZone = z.string('must be a string').transform((name, context) => {
  const read = readTimeZone(name);
  if ('zone' in read) return read.zone;
  context.addIssue({ code: 'custom', message: read.refused });
  return z.NEVER;
});
