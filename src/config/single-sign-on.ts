import { z } from 'zod';
import { scopes } from '../api-keys/scopes.ts';
import { wholeNumberText } from '../validation/integer.ts';
import { parseUrl } from '../validation/parse-url.ts';
import { flag, listOf, url } from './values.ts';

const loopbackHosts = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

const claim = z.string().regex(/^[\x21-\x7e]{1,200}$/, 'must be the name of a claim');

/** Providers at which everybody can get an account, among them the tenant of all personal Microsoft accounts. */
const publicProvider =
  /^https:\/\/(?:accounts\.google\.com|gitlab\.com|www\.linkedin\.com|slack\.com|id\.twitch\.tv|[^/]+\/9188040d-6c67-4c5b-b112-36a304b66dad)(?:\/|$)/;

/** Issuers of Entra ID that stand for all tenants. The administrators of each tenant assign roles in it, also to themselves. */
const allTenants =
  /^https:\/\/[^/]+\.(?:microsoftonline\.(?:com|us|cn)|windows\.net)\/(?:common|organizations|consumers)(?:\/|$)/;

const normalize = (issuer: string) => parseUrl(issuer)!.href.toLowerCase();

/** Settings of the web process: sign-in with OpenID Connect. */
export const singleSignOn = {
  OIDC_ISSUER: url(/^https?$/, 'https://id.example.com')
    .refine((value) => !/[?#]/.test(value) && !value.includes('/.well-known/'), {
      error: 'must be the issuer alone, without /.well-known/openid-configuration',
      abort: true,
    })
    .refine((value) => !/^\w+:\/\/[^/]*@/.test(value), {
      error: 'must not contain a user or a password',
      abort: true,
    })
    .refine((value) => value.startsWith('https:') || loopbackHosts.test(parseUrl(value)!.hostname), {
      error: 'must begin with https://, unless the provider runs on this machine',
      abort: true,
    })
    .refine((value) => !allTenants.test(normalize(value)), {
      error: 'must name your tenant, such as https://login.microsoftonline.com/TENANT_ID/v2.0',
      abort: true,
    })
    .optional()
    .describe(
      'Issuer of the OpenID Connect provider with which people sign in to the dashboard; also needs `OIDC_CLIENT_ID` and `OIDC_CLIENT_SECRET`',
    ),
  OIDC_CLIENT_ID: z
    .string()
    .optional()
    .describe(
      'Client ID of this service at the provider; its redirect URI is `BASE_URL` followed by `/admin/sign-in/oidc/callback`',
    ),
  OIDC_CLIENT_SECRET: z.string().optional().describe('Client secret of this service at the provider'),
  OIDC_PROVIDER_NAME: z
    .string()
    .trim()
    .max(40, 'must be at most 40 characters')
    .default('single sign-on')
    .describe('Name of the provider on the button “Sign in with …”'),
  OIDC_SCOPES: z
    .string()
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/, 'must be names separated by spaces')
    .refine((text) => text.split(' ').includes('openid'), 'must contain openid')
    .default('openid profile email')
    .describe('Scopes that are requested from the provider, separated by spaces'),
  OIDC_NAME_CLAIM: claim.default('name').describe('Claim with the name of a person'),
  OIDC_GROUPS_CLAIM: z
    .string()
    .default('groups')
    .transform(listOf)
    .pipe(z.array(claim).min(1, 'must not be empty'))
    .describe(
      'Claims with the groups or roles of a person, comma-separated; `a.b` is the member `b` of the claim `a`',
    ),
  OIDC_ADMIN_GROUP: z
    .string()
    .optional()
    .describe('Group whose members have the scope `admin`; without it no person has it'),
  OIDC_USER_GROUP: z
    .string()
    .optional()
    .describe(
      'Group whose members may sign in, beside those of `OIDC_ADMIN_GROUP`; default: everybody whom the provider signs in; needed for providers at which everybody can get an account, such as Google',
    ),
  OIDC_API_KEY_SCOPES: z
    .string()
    .default('urls:read,urls:write,stats:read')
    .transform(listOf)
    .pipe(z.array(z.enum(scopes, `must be scopes, such as ${scopes.join(',')}`)).min(1, 'must not be empty'))
    .describe('Scopes of people who are not in `OIDC_ADMIN_GROUP`, comma-separated'),
  OIDC_OWN_URLS_ONLY: flag(true).describe(
    'Whether people who are not in `OIDC_ADMIN_GROUP` have access only to the short URLs that they created',
  ),
  OIDC_SESSION_HOURS: wholeNumberText(1, 720)
    .default(24)
    .describe(
      'Hours after a sign-in until the session of a person ends, and the provider is asked again for their groups',
    ),
};

type Settings = z.output<z.ZodObject<typeof singleSignOn>>;

/** Reports settings that are missing or contradict each other. */
export function checkSingleSignOn(settings: Settings, context: z.RefinementCtx): void {
  const report = (name: keyof Settings, message: string) =>
    context.addIssue({ code: 'custom', path: [name], message });
  const needed = ['OIDC_ISSUER', 'OIDC_CLIENT_ID', 'OIDC_CLIENT_SECRET'] as const;
  const given = needed.find((name) => settings[name] !== undefined);
  if (given !== undefined)
    for (const name of needed)
      if (settings[name] === undefined) report(name, `is not set, but ${given} is: set both or neither`);
  const { OIDC_ISSUER: issuer, OIDC_USER_GROUP: userGroup } = settings;
  if (issuer !== undefined && userGroup === undefined && publicProvider.test(normalize(issuer)))
    report('OIDC_USER_GROUP', `is not set, but everybody can get an account at ${issuer}`);
  const concernsAll = settings.OIDC_API_KEY_SCOPES.some((scope) => scope === 'admin' || scope === 'jobs:run');
  if (settings.OIDC_OWN_URLS_ONLY && concernsAll)
    report('OIDC_OWN_URLS_ONLY', 'must be false with admin or jobs:run in OIDC_API_KEY_SCOPES');
}
