import { codeIn, expiryIn } from '../rows/values.ts';
import type { ImportFormat } from './format.ts';

/** Links as the API of Chhoto URL gives them, and the columns of its table. */
export const chhoto: ImportFormat = {
  signs: [
    ['shortlink', 'longlink'],
    ['shorturl', 'longurl', 'hits', 'expirytime'],
  ],
  dropped: ['id'],
  fields: {
    short_code: codeIn('shortlink', 'shorturl'),
    original_url: ['longlink', 'longurl'],
    // Zero: it does not expire.
    expires_at: expiryIn('expirytime'),
    notes: ['notes'],
    click_count: ['hits'],
  },
};
