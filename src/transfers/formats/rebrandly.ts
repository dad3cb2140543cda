import { codeIn, expiryIn, tagsIn } from '../rows/values.ts';
import { type ImportFormat, names } from './format.ts';

/** The CSV export of Rebrandly, and the links of its API. */
export const rebrandly: ImportFormat = {
  signs: [['slashtag', ['destination', 'destinationurl']]],
  dropped: names(`
    id shorturl domain domainid domainref domainfullname domainactive updatedat https favourite
    ispublic integrated sessions lastclickdate workspace creator creatorid creatorfullname
    creatoravatarurl partitiongroup`),
  fields: {
    short_code: codeIn('slashtag', 'shorturl'),
    original_url: ['destination', 'destinationurl'],
    created_at: ['createdat', 'created', 'creationdate'],
    expires_at: expiryIn('expiresat', 'expirationdate'),
    is_active: [{ column: 'status', read: (value) => value === 'active' }],
    forward_query: ['forwardparameters'],
    title: ['title'],
    notes: ['notes'],
    tags: tagsIn('tags'),
    click_count: ['clicks'],
    last_accessed_at: ['lastclickat'],
  },
};
