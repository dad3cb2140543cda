import { z } from 'zod';
import { type HostBlocking, parseBlockedHost } from '../../urls/blocklist/service.ts';
import type { BlockedHost } from '../../urls/blocklist/store.ts';
import { wholeNumberText } from '../../validation/integer.ts';
import { storedText } from '../../validation/text.ts';
import { Problem } from '../problems/problem.ts';
import type { Handlers, Operations } from './operation.ts';
import { timestamp } from './schemas.ts';

const tag = 'Safety';
const maxHosts = 1_000;
/** So many host names of the greatest length, quoted, and a reason. */
const maxBodyBytes = 512 * 1024;

const host = z
  .string('must be text')
  .transform((text) => parseBlockedHost(text))
  .refine((name) => name !== undefined, 'must be a host name without a port, such as example.com')
  .meta({ description: 'Blocked with all hosts below it', example: 'example.com' });

const shownHost = z.object({
  host: z.string(),
  reason: z.string().nullable(),
  created_at: timestamp,
  created_by: z.int().nullable().meta({ description: 'The API key that it was blocked with' }),
});

const presentHost = ({ host, reason, createdAt, createdBy }: BlockedHost): z.input<typeof shownHost> => ({
  host,
  reason,
  created_at: createdAt.toISOString(),
  created_by: createdBy,
});

/** Hosts that no short URL leads to. */
export const blockedHostOperations = {
  listBlockedHosts: {
    method: 'get',
    path: '/api/v1/blocked-hosts',
    tag,
    summary: 'List blocked hosts, in alphabetical order',
    scope: 'admin',
    query: z.strictObject({
      after: z
        .string('must be text')
        .max(253, 'must have at most 253 characters')
        .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not contain control characters')
        .default('')
        .describe('Those behind this one: `next_after` of the answer before'),
      limit: wholeNumberText(1, maxHosts).default(100),
    }),
    replies: {
      200: {
        description: 'Blocked hosts, and where to go on, or null at the end.',
        body: z.object({ items: z.array(shownHost), next_after: z.string().nullable() }),
      },
    },
    problems: [],
  },
  blockHosts: {
    method: 'post',
    path: '/api/v1/blocked-hosts',
    tag,
    summary: 'Block hosts',
    description:
      'From now on no short URL can be created that leads there, and within 2 s none that is there redirects to them: visitors get 451. ' +
      'A host is blocked with all hosts below it. Hosts that are blocked already stay as they are.',
    scope: 'admin',
    body: z.strictObject(
      {
        hosts: z
          .array(host, 'must be a list of host names')
          .min(1, 'must hold at least 1 host')
          .max(maxHosts, `must hold at most ${maxHosts} hosts`),
        reason: storedText({ max: 200 }).nullish(),
      },
      'must be a JSON object',
    ),
    maxBodyBytes,
    replies: {
      200: {
        description: 'All of them are blocked; `added` of them were not before.',
        body: z.object({ added: z.int(), hosts: z.array(z.string()) }),
      },
    },
    problems: [],
  },
  unblockHost: {
    method: 'delete',
    path: '/api/v1/blocked-hosts/{host}',
    tag,
    summary: 'Block a host no longer',
    description: 'Within 2 s short URLs redirect there again, unless a host above it is blocked.',
    scope: 'admin',
    params: z.object({ host: z.string().meta({ example: 'example.com' }) }),
    replies: { 204: { description: 'It is not blocked any more.' } },
    problems: ['not-found'],
  },
} as const satisfies Operations;

export const blockedHostHandlers = ({
  hostBlocking,
}: {
  hostBlocking: HostBlocking;
}): Handlers<typeof blockedHostOperations> => ({
  listBlockedHosts: async ({ query: { after, limit } }) => {
    const found = await hostBlocking.list({ after, limit });
    const next = found.length === limit ? found.at(-1) : undefined;
    return { status: 200, body: { items: found.map(presentHost), next_after: next?.host ?? null } };
  },

  blockHosts: async ({ body, apiKey }) => {
    const hosts = [...new Set(body.hosts)];
    const added = await hostBlocking.block(hosts, { reason: body.reason ?? null, createdBy: apiKey.id });
    return { status: 200, body: { added, hosts } };
  },

  unblockHost: async ({ params }) => {
    const host = parseBlockedHost(params.host);
    if (host === undefined || !(await hostBlocking.unblock(host)))
      throw new Problem('not-found', 'This host is not blocked.');
    return { status: 204 };
  },
});
