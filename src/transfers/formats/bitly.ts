import { codeIn, expiryIn, tagsIn } from '../rows/values.ts';
import type { ImportFormat } from './format.ts';

const links = ['link', 'bitlink', 'customlink'];
const more = ['createdat', 'datecreated', 'created', 'archived', 'custombitlinks', 'customlink', 'title'];

/** The CSV export of Bitly, and the links of its API. */
export const bitly: ImportFormat = {
  signs: [
    ['longurl', links, more],
    ['destinationurl', links, more],
  ],
  dropped: [
    'archived',
    'deeplinks',
    'references',
    'referencesgroup',
    'launchpadids',
    'campaignids',
    'clientid',
  ],
  fields: {
    // The custom code of a link takes precedence over its generated one, because it is the published one.
    short_code: codeIn('customlink', 'custombitlinks', 'link', 'bitlink', 'id'),
    original_url: ['longurl', 'destinationurl'],
    created_at: ['createdat', 'datecreated', 'created'],
    expires_at: expiryIn('expirationat'),
    title: ['title'],
    tags: tagsIn('tags'),
    click_count: ['clicks', 'totalclicks', 'totalengagements', 'engagements'],
  },
};
