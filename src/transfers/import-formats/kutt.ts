import type { ImportFormat } from './format.ts';

/** How JSON and databases say no. */
const isNo = (value: unknown) => [false, 'false', 'f', 0, '0'].includes(value as string);

/** Links as Kutt's API gives them, or the columns of its table. */
export const kutt: ImportFormat = {
  signs: ['address', 'target'],
  fields: {
    short_code: ['address'],
    original_url: ['target'],
    created_at: ['createdat'],
    expires_at: ['expirein'],
    // The API says whether there is one, the table has its hash.
    has_password: [{ column: 'password', read: (value) => !isNo(value) }],
    is_active: [{ column: 'banned', read: isNo }],
    title: ['description'],
    click_count: ['visitcount'],
  },
};
