import type { ImportFormat } from './format.ts';

/** The columns of YOURLS' table of URLs. That of the address from which one was created is not read. */
export const yourls: ImportFormat = {
  signs: ['keyword', 'url'],
  fields: {
    short_code: ['keyword'],
    original_url: ['url'],
    created_at: ['timestamp'],
    title: ['title'],
    click_count: ['clicks'],
  },
};
