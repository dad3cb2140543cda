import type { Agent } from './agents.ts';

/** Bots that name themselves or their library. */
const bots: [header: string, browser: string, os: string, device: string][] = [
  ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 'Googlebot', '', ''],
  [
    'Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.6422.175 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
    'Googlebot',
    'Android',
    '',
  ],
  ['Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)', 'BingCrawler', '', ''],
  [
    'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
    'FacebookExternalHit',
    '',
    '',
  ],
  [
    'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)',
    'GPTBot',
    '',
    '',
  ],
  [
    'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)',
    'ClaudeBot',
    '',
    '',
  ],
  [
    'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)',
    'PerplexityBot',
    '',
    '',
  ],
  ['Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)', 'SlackBot', '', ''],
  ['DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)', 'DuckDuckBot', '', ''],
  ['Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)', 'YandexBot', '', ''],
  [
    'Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)',
    'BaiduSpider',
    '',
    '',
  ],
  ['Twitterbot/1.0', '', '', ''],
  ['curl/8.5.0', '', '', ''],
  ['Wget/1.21.3', '', '', ''],
  ['python-requests/2.31.0', '', '', ''],
  ['Go-http-client/2.0', '', '', ''],
  [
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/125.0.0.0 Safari/537.36',
    'Chrome',
    'Linux',
    'desktop',
  ],
];

/** Bots that differ only in their version. */
const tools: [name: string, versions: number][] = [
  ['axios', 8],
  ['okhttp', 5],
];

export const botAgents: Agent[] = [
  ...bots.map(([header, browser, os, device]) => ({ header, browser, os, device, isBot: true })),
  ...tools.flatMap(([name, versions]) =>
    Array.from({ length: versions }, (_, n) => ({
      header: `${name}/1.${n}.0`,
      browser: '',
      os: '',
      device: '',
      isBot: true,
    })),
  ),
];
