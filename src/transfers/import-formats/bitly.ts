import { readTags } from '../tag-list.ts';
import { codeAtEnd, type ImportFormat } from './format.ts';

const fields: ImportFormat['fields'] = {
  short_code: ['customlink', 'custombitlinks', 'link', 'bitlink', 'id'].map((column) => ({
    column,
    read: codeAtEnd,
  })),
  original_url: ['longurl', 'destinationurl'],
  created_at: ['createdat', 'datecreated', 'created'],
  title: ['title'],
  tags: [{ column: 'tags', read: readTags }],
};

/** Links as Bitly's API gives them. */
export const bitly: ImportFormat = { signs: ['longurl', 'link'], fields };

/** The CSV that Bitly sends by e-mail. */
export const bitlyFile: ImportFormat = { signs: ['destinationurl', 'link'], fields };
