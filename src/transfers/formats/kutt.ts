import { codeIn, disabledIn, expiryIn, passwordIn } from '../rows/values.ts';
import type { ImportFormat } from './format.ts';

/** Links as Kutt's API gives them, or the columns of its table. */
export const kutt: ImportFormat = {
  signs: [
    [
      'address',
      'target',
      ['visitcount', 'createdat', 'banned', 'password', 'expirein', 'description', 'link'],
    ],
  ],
  dropped: ['id', 'domain', 'domainid', 'link', 'updatedat', 'userid', 'uuid', 'bannedbyid', 'email'],
  fields: {
    short_code: codeIn('address'),
    original_url: ['target'],
    created_at: ['createdat'],
    expires_at: expiryIn('expirein'),
    // The API says whether there is one, the table has its hash.
    has_password: passwordIn('password'),
    is_active: disabledIn('banned'),
    title: ['description'],
    click_count: ['visitcount'],
  },
};
