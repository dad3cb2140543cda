import { codeIn, expiryIn } from '../rows/values.ts';
import type { ImportFormat } from './format.ts';

/** The links of the API of Chhoto URL, and its database table. */
export const chhoto: ImportFormat = {
  signs: [
    ['shortlink', 'longlink'],
    ['shorturl', 'longurl', 'hits', 'expirytime'],
  ],
  dropped: ['id'],
  fields: {
    short_code: codeIn('shortlink', 'shorturl'),
    original_url: ['longlink', 'longurl'],
    // Zero means no expiry.
    expires_at: expiryIn('expirytime'),
    notes: ['notes'],
    click_count: ['hits'],
  },
};
