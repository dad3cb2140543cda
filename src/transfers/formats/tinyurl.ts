import { codeIn, disabledIn, expiryIn, tagsIn } from '../rows/values.ts';
import type { ImportFormat } from './format.ts';

const urls = ['url', 'longurl', 'originalurl', 'destinationurl', 'destination'];

/** The CSV export of TinyURL, and the aliases of its API. */
export const tinyurl: ImportFormat = {
  signs: [
    ['tinyurl', urls],
    ['alias', urls, ['archived', 'expiresat', 'createdat']],
  ],
  dropped: [
    'domain',
    'archived',
    'analyticsenabled',
    'analyticspublic',
    'description',
    'userid',
    'useremail',
  ],
  fields: {
    short_code: codeIn('alias', 'tinyurl'),
    original_url: urls,
    created_at: ['createdat', 'created', 'datecreated'],
    expires_at: expiryIn('expiresat'),
    is_active: disabledIn('deleted'),
    title: ['title'],
    tags: tagsIn('tags'),
    click_count: ['hits', 'clicks', 'totalclicks', 'hitstotal'],
  },
};
