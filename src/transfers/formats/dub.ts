import { codeIn, expiryIn, passwordIn, tagsIn } from '../rows/values.ts';
import { type ImportFormat, names } from './format.ts';

/** The CSV export of Dub, and the links of its API. */
export const dub: ImportFormat = {
  signs: [
    ['shortlink', 'destinationurl'],
    ['domain', 'key', 'url'],
    ['link', 'url', 'clicks', 'createdat'],
  ],
  dropped: names(`
    id linkid domain updatedat archived leads conversions sales revenue saleamount description image
    video proxy rewrite doindex ios android geo externalid tenantid programid partnerid folderid
    userid workspaceid projectid trackconversion publicstats qrcode tagid webhookids testvariants
    teststartedat testcompletedat utmsource utmmedium utmcampaign utmterm utmcontent`),
  fields: {
    short_code: codeIn('key', 'shortlink', 'link'),
    original_url: ['url', 'destinationurl'],
    created_at: ['createdat'],
    expires_at: expiryIn('expiresat'),
    has_password: passwordIn('password'),
    is_active: [{ column: 'disabledat', read: () => false }],
    fallback_url: ['expiredurl'],
    title: ['title'],
    notes: ['comments'],
    tags: tagsIn('tags'),
    click_count: ['clicks'],
    last_accessed_at: ['lastclicked'],
  },
};
