import { readTags } from '../tag-list.ts';
import { codeAtEnd, type ImportFormat } from './format.ts';

/** The CSV that Shlink's web client exports, and short URLs as its API gives them. */
export const shlink: ImportFormat = {
  signs: ['longurl', 'shorturl'],
  fields: {
    short_code: ['shortcode', { column: 'shorturl', read: codeAtEnd }],
    original_url: ['longurl'],
    created_at: ['createdat', 'datecreated'],
    starts_at: ['metavalidsince'],
    expires_at: ['metavaliduntil'],
    max_clicks: ['metamaxvisits'],
    forward_query: ['forwardquery'],
    crawlable: ['crawlable'],
    title: ['title'],
    tags: [{ column: 'tags', read: readTags }],
    click_count: ['visits', 'visitssummarytotal', 'visitscount'],
  },
};
