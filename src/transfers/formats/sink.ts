import { codeIn, expiryIn, passwordIn, tagsIn } from '../rows/values.ts';
import { type ImportFormat, names } from './format.ts';

/** The export of Sink. */
export const sink: ImportFormat = {
  signs: [['id', 'slug', 'url', 'createdat', 'updatedat']],
  dropped: names(`
    id updatedat description image apple google cloaking unsafe geo status`),
  fields: {
    short_code: codeIn('slug'),
    original_url: ['url'],
    created_at: ['createdat'],
    expires_at: expiryIn('expiration'),
    has_password: passwordIn('password'),
    forward_query: ['redirectwithquery'],
    title: ['title'],
    notes: ['comment'],
    tags: tagsIn('tags'),
  },
};
