import { codeIn, disabledIn, passwordIn } from '../rows/values.ts';
import type { ImportFormat } from './format.ts';

/** The links table of Polr. */
export const polr: ImportFormat = {
  signs: [['shorturl', 'longurl', ['secretkey', 'isdisabled', 'iscustom', 'isapi']]],
  dropped: ['id', 'ip', 'creator', 'iscustom', 'isapi', 'updatedat', 'longurlhash'],
  fields: {
    short_code: codeIn('shorturl'),
    original_url: ['longurl'],
    created_at: ['createdat'],
    // The key protects the link like a password.
    has_password: passwordIn('secretkey'),
    is_active: disabledIn('isdisabled'),
    click_count: ['clicks'],
  },
};
