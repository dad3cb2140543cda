import { codeIn, expiryIn, passwordIn, tagsIn } from '../rows/values.ts';
import { type ImportFormat, names } from './format.ts';

/** The CSV export of Short.io, and the links of its API. */
export const shortio: ImportFormat = {
  signs: [['originalurl', ['path', 'shorturl', 'secureshorturl']]],
  dropped: names(`
    id idstring domain domainid hostname ownerid userid folderid archived cloaking duplicate
    hasduplicates source icon iphoneurl androidurl splitpercent spliturl updatedat lcpath shorturl
    secureshorturl utmsource utmmedium utmcampaign utmterm utmcontent integrationga integrationfb
    integrationadroll integrationgtm skipqs`),
  fields: {
    short_code: codeIn('path', 'shorturl', 'secureshorturl'),
    original_url: ['originalurl'],
    created_at: ['createdat', 'created', 'creationdate', 'datecreated'],
    expires_at: expiryIn('expiresat', 'ttl'),
    max_clicks: ['clickslimit'],
    has_password: passwordIn('password', 'haspassword', 'passwordcontact'),
    fallback_url: ['expiredurl'],
    redirect_status: ['redirecttype'],
    title: ['title'],
    tags: tagsIn('tags'),
    click_count: ['clicks', 'totalclicks', 'clickcount'],
  },
};
