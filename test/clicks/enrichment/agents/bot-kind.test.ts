import { expect, test } from 'vitest';
import { createUserAgents } from '../../../../src/clicks/enrichment/agents/user-agents.ts';

const { find } = createUserAgents();

test.each([
  ['search', 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'],
  ['search', 'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)'],
  ['preview', 'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)'],
  ['preview', 'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)'],
  ['preview', 'TelegramBot (like TwitterBot)'],
  ['preview', 'Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)'],
  ['preview', 'WhatsApp/2.24.20.89 A'],
  [
    'ai',
    'Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)',
  ],
  ['ai', 'Mozilla/5.0 (compatible; ChatGPT-User/1.0; +https://openai.com/bot)'],
  ['ai', 'Mozilla/5.0 (compatible; PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)'],
  ['monitor', 'Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)'],
  ['monitor', 'Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)'],
  ['feed', 'Feedly/1.0 (+http://www.feedly.com/fetcher.html; 16 subscribers)'],
  ['feed', 'Tiny Tiny RSS/24.11 (https://tt-rss.org/)'],
  ['other', 'Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)'],
  ['other', 'curl/8.5.0'],
  ['other', ''],
  [undefined, 'Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0'],
])('the kind of a bot is "%s" for %s', (botKind, header) => {
  expect(find(header)).toMatchObject({ botKind, isBot: botKind !== undefined });
});
