import { codeIn, expiryIn, tagsIn } from '../rows/values.ts';
import type { ImportFormat } from './format.ts';

const links = ['link', 'bitlink', 'customlink'];
const more = ['createdat', 'datecreated', 'created', 'archived', 'custombitlinks', 'customlink', 'title'];

/** The CSV that Bitly sends by e-mail, and links as its API gives them. */
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
    // A link has a custom code beside its first one; the custom one is what people print.
    short_code: codeIn('customlink', 'custombitlinks', 'link', 'bitlink', 'id'),
    original_url: ['longurl', 'destinationurl'],
    created_at: ['createdat', 'datecreated', 'created'],
    expires_at: expiryIn('expirationat'),
    title: ['title'],
    tags: tagsIn('tags'),
    click_count: ['clicks', 'totalclicks', 'totalengagements', 'engagements'],
  },
};
