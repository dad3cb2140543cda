import { codeIn } from '../rows/values.ts';
import type { ImportFormat } from './format.ts';

/** The URL table of YOURLS, and the links of its API. */
export const yourls: ImportFormat = {
  signs: [
    ['keyword', 'url', 'timestamp'],
    ['shorturl', 'url', 'timestamp', 'clicks'],
  ],
  dropped: ['ip'],
  fields: {
    short_code: codeIn('keyword', 'shorturl'),
    original_url: ['url'],
    created_at: ['timestamp'],
    title: ['title'],
    click_count: ['clicks'],
  },
};
