import { z } from 'zod';
import { type HostBlocking, parseBlockedHost } from '../../urls/blocklist/service.ts';
import type { BlockedHost } from '../../urls/blocklist/store.ts';
import { plainText, storedText } from '../../validation/text.ts';
import { Problem } from '../problems/problem.ts';
import { timestamp } from '../routes/schemas.ts';
import type { Handlers, Operations } from './operation.ts';
import { pageOf, pageQuery, readPage } from './pagination.ts';

const tag = 'Moderation';
const maxHosts = 1_000;
/** 1,000 quoted host names of the maximum length, and a reason. */
const maxBodyBytes = 512 * 1024;

const host = z
  .string('must be a string')
  .transform((text) => parseBlockedHost(text))
  .refine((name) => name !== undefined, 'must be a host name without a port, such as example.com')
  .meta({ description: 'Host name; its subdomains are blocked too', example: 'example.com' });

const shownHost = z.object({
  host: z.string(),
  reason: z.string().nullable(),
  created_at: timestamp,
  created_by: z.int().nullable().meta({ description: 'ID of the API key that blocked the host' }),
});

const presentHost = ({ host, reason, createdAt, createdBy }: BlockedHost): z.input<typeof shownHost> => ({
  host,
  reason,
  created_at: createdAt.toISOString(),
  created_by: createdBy,
});

/** Hosts that short URLs must not redirect to. */
export const blockedHostOperations = {
  listBlockedHosts: {
    method: 'get',
    path: '/api/v1/blocked-hosts',
    tag,
    summary: 'List blocked hosts',
    description: 'Blocked hosts in alphabetical order.',
    scope: 'admin',
    query: z.strictObject(pageQuery({ default: 100, max: maxHosts })),
    replies: { 200: { description: 'A page of blocked hosts.', body: pageOf(shownHost) } },
    problems: [],
  },
  blockHosts: {
    method: 'post',
    path: '/api/v1/blocked-hosts',
    tag,
    summary: 'Block hosts',
    description:
      'Rejects new short URLs to these hosts and their subdomains. Existing ones answer 451 within 2 s. Hosts that are already blocked ' +
      'stay unchanged.',
    scope: 'admin',
    body: z.strictObject(
      {
        hosts: z
          .array(host, 'must be a list of host names')
          .min(1, 'must contain at least 1 host')
          .max(maxHosts, `must contain at most ${maxHosts} hosts`),
        reason: storedText({ max: 200 }).nullish().describe('Reason, for administrators'),
      },
      'must be a JSON object',
    ),
    maxBodyBytes,
    replies: {
      200: {
        description: 'The hosts are blocked.',
        body: z.object({
          added: z.int().describe('Number of hosts that were not blocked before'),
          hosts: z.array(z.string()).describe('The hosts in normalised form'),
        }),
      },
    },
    problems: [],
  },
  unblockHost: {
    method: 'delete',
    path: '/api/v1/blocked-hosts/{host}',
    tag,
    summary: 'Unblock a host',
    description: 'Short URLs redirect to the host again within 2 s, unless a parent domain is blocked.',
    scope: 'admin',
    params: z.object({ host: z.string().meta({ description: 'Blocked host', example: 'example.com' }) }),
    replies: { 204: { description: 'The host is no longer blocked.' } },
    problems: ['not-found'],
  },
} as const satisfies Operations;

export const blockedHostHandlers = ({
  hostBlocking,
}: {
  hostBlocking: HostBlocking;
}): Handlers<typeof blockedHostOperations> => ({
  listBlockedHosts: async ({ query }) => {
    const { rows, nextCursor } = await readPage(query, {
      list: 'blocked-hosts',
      position: plainText(253),
      positionOf: (row: BlockedHost) => row.host,
      read: async (after = '', limit) => await hostBlocking.list({ after, limit }),
    });
    return { status: 200, body: { items: rows.map(presentHost), next_cursor: nextCursor } };
  },

  blockHosts: async ({ body, apiKey }) => {
    const hosts = [...new Set(body.hosts)];
    const added = await hostBlocking.block(hosts, { reason: body.reason ?? null, createdBy: apiKey.id });
    return { status: 200, body: { added, hosts } };
  },

  unblockHost: async ({ params }) => {
    const host = parseBlockedHost(params.host);
    if (host === undefined || !(await hostBlocking.unblock(host)))
      throw new Problem('not-found', 'The host is not blocked.');
    return { status: 204 };
  },
});
