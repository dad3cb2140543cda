import { isbot } from 'isbot';

/** Words that occur in no browser's `User-Agent`. */
const botWords =
  /bot\b(?![ _](?:junior|senior|tab))(?<!\bcubot|\bx-?bot)|crawl|spider(?!man)|facebookexternalhit|\bpreview\b|\bfetcher\b|headless|phantomjs|selenium|puppeteer|playwright|webdriver|podcast sync|feed parser/i;

/** Bots that isbot does not recognize. */
const moreBots =
  /\bHLB\/|360JK|miniature\.io|Laravel Reaver|amazon-kendra|\bAmzn-User\b|Assetnote|\bGTmetrix\b|\bYLT\b|geckotrail|turingos/i;

/** Programs of people that isbot misclassifies because of short or unusual names: apps, feed readers, office
 *  programs, players, TVs, and browsers without "Mozilla". */
const programs = new RegExp(
  [
    /\bHbbTV\/|^AppleTV\d|\bOMI\/|^smart_?tv|^iPhone\w+$|\bNETRANGE|\bNetTV\/|\bSmartHub\b|\bRokuOS\b|\bRoku\//,
    /^dv\(|\bUCBrowser\/|\bUCWEB|^UCWEB\/|\bOpera Mini\/|\bOpera Mobi\b/,
    /^(?:Microsoft Office|Word|Excel|PowerPoint|OneNote|Outlook|Outlook-iOS|Outlook-Android|Microsoft%20\w+)\b|\bms-office\b/,
    /\bCFNetwork\/\S+ Darwin\/|\bDalvik\/|\bExoPlayerLib|\bwatchOS\b|^Watch\d+,\d/,
    /^(?:FeedDemon|NetNewsWire|Reeder|ReadKit|RSSOwl|RssBandit|Akregator|newsb(?:oat|euter)|Liferea|QuiteRSS|Apple-PubSub|RSS ?Junkie|RSS Guard|NewsBlur (?:iPhone|iPad|Android) App)\b/i,
    /\b(?:QuiteRSS|NetNewsWire|FluentReader|RSSGuard)\/\d/,
    /^(?:iCatcher|Downcast|Castro|Podcatcher|Overcast|Pocket ?Casts|AntennaPod|VLC|mpv|foobar2000|XBMC|Kodi|Music Player Daemon|Spotify|TuneIn Radio)/i,
    /\bMIDP-|\bCLDC-|\bMAUI[ _]|\bWAP[- ]?Browser|\bNetFront\/|\bObigo|\bBREW\//i,
    /\bSogou(?:MSE|MobileBrowser|Search)|\bMicroMessenger\/|\bYJApp-|\bGoogle Earth\/|\bcom\.google\.android\.|\bQQDownload\b|\bchromeframe\b/,
    /\bGM Discovery|\bDiscovery (?:II?|DG|\w*\d)|\bHTC; Radar|\bCUBOT\b|\bXBot[ _]|\bM_bot_|\bID bot/i,
    /\bBada\/|\bNintendo\b|\bTuneUp HTML\b|\bAOL \d|\bMail\.Ru\b|\bAmazon\.com\/\d|\bAndroidDownloadManager\b/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
);

/** Whether a bot calls itself a bot or a crawler. Tools that a person runs, such as curl and HTTP libraries, do not. */
export const isDeclaredCrawler = (header: string): boolean =>
  /bot\b|crawl|spider|slurp|fetcher/i.test(header);

/** Whether a `User-Agent` belongs to an unattended program. A missing header counts as a bot. */
export function isBotAgent(header: string): boolean {
  if (header.trim() === '' || botWords.test(header) || moreBots.test(header)) return true;
  return !programs.test(header) && isbot(header);
}
