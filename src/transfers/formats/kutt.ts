import { codeIn, disabledIn, expiryIn, passwordIn } from '../rows/values.ts';
import type { ImportFormat } from './format.ts';

/** The links of the API of Kutt, and its database table. */
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
    // The API has a flag, the table a hash.
    has_password: passwordIn('password'),
    is_active: disabledIn('banned'),
    title: ['description'],
    click_count: ['visitcount'],
  },
};
