import { codeIn, tagsIn } from '../rows/values.ts';
import type { ImportFormat } from './format.ts';

const visits = ['visits', 'visitssummarytotal', 'visitscount'];

/** The CSV of Shlink's web client and of its importer, and the short URLs of its API. */
export const shlink: ImportFormat = {
  signs: [
    ['shorturl', 'longurl', 'shortcode', ['createdat', 'datecreated', ...visits]],
    ['longurl', 'shortcode', ['tags', 'domain', 'title']],
    ['longurl', 'shorturl', ['tags', 'domain']],
  ],
  dropped: ['domain', 'visitssummarynonbots', 'visitssummarybots', 'hasredirectrules', 'devicelongurls'],
  fields: {
    short_code: codeIn('shortcode', 'shorturl'),
    original_url: ['longurl'],
    created_at: ['createdat', 'datecreated'],
    starts_at: ['metavalidsince'],
    expires_at: ['metavaliduntil'],
    max_clicks: ['metamaxvisits'],
    forward_query: ['forwardquery'],
    crawlable: ['crawlable'],
    title: ['title'],
    tags: tagsIn('tags'),
    click_count: visits,
  },
};
