import { readTags } from '../rows/tag-list.ts';
import type { ImportFormat } from './format.ts';

/** Exports of Linkmill, and other files with the same columns. */
export const linkmill: ImportFormat = {
  signs: [['shortcode', 'originalurl']],
  isKnownBy: 'originalurl',
  codeIsOptional: true,
  cellsAreGuarded: true,
  dropped: ['shorturl', 'updatedat', 'hasended', 'createdby', 'aliases'],
  fields: {
    short_code: ['shortcode'],
    original_url: ['originalurl'],
    created_at: ['createdat'],
    starts_at: ['startsat'],
    expires_at: ['expiresat'],
    max_clicks: ['maxclicks'],
    is_active: ['isactive'],
    is_one_time: ['isonetime'],
    has_password: ['haspassword'],
    fallback_url: ['fallbackurl'],
    redirect_status: ['redirectstatus'],
    redirect_max_age_seconds: ['redirectmaxageseconds'],
    forward_query: ['forwardquery'],
    crawlable: ['crawlable'],
    title: ['title'],
    notes: ['notes'],
    tags: [{ column: 'tags', read: readTags }],
    click_count: ['clickcount'],
    last_accessed_at: ['lastaccessedat'],
  },
};
