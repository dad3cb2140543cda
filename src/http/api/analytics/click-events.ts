import { z } from 'zod';
import { isAllowed, ownerOf } from '../../../api-keys/api-key.ts';
import { foldCode } from '../../../keys/short-code.ts';
import { endWithClient } from '../../connections/end-with-client.ts';
import { refreshApiKey } from '../../middleware/authenticate.ts';
import { validationFailed } from '../../problems/problem.ts';
import type { Handlers, Operations } from '../operation.ts';
import type { ClickEvents } from './click-event-stream.ts';
import { tagFilter } from './query.ts';

/** The live stream of click events. */
export const clickEventOperations = {
  streamClicks: {
    method: 'get',
    path: '/api/v1/clicks/stream',
    tag: 'Analytics',
    summary: 'Stream clicks',
    description:
      'Server-sent events `click` with `short_code`, `at`, `clicks` (identical ones within a minute), `is_bot`, `bot_kind`, `country`, ' +
      '`referrer`, `browser`, `os` and `device`. Reconnect with `Last-Event-ID` to receive the missed events of the retention period; events ' +
      'after that ID can be repeated. The service disconnects readers that are too slow.',
    scope: 'stats:read',
    query: z.strictObject({
      short_code: z
        .string('must be a string')
        .overwrite(foldCode)
        .optional()
        .describe('Only clicks on this short URL'),
      tag: tagFilter,
    }),
    headers: { 'Last-Event-ID': 'The last received event ID; browsers send it when they reconnect' },
    replies: {
      200: {
        description: 'The stream, until the client or the service closes it.',
        content: ['text/event-stream'],
      },
    },
    problems: ['not-found'],
  },
} as const satisfies Operations;

export const clickEventHandlers = ({
  clickEvents,
}: {
  clickEvents: ClickEvents;
}): Handlers<typeof clickEventOperations> => ({
  streamClicks: async ({ query, owner, ctx }) => {
    const reply = { status: 200, type: 'text/event-stream' } as const;
    const after = readLastId(ctx.get('last-event-id'));
    if (ctx.method === 'HEAD') return { ...reply, body: '' };
    const isStillAllowed = async () => {
      const apiKey = await refreshApiKey(ctx);
      return apiKey !== undefined && isAllowed(apiKey, 'stats:read') && ownerOf(apiKey) === owner;
    };
    const scope = { owner, shortCode: query.short_code, tag: query.tag };
    const body = await clickEvents.open(scope, { after, isStillAllowed });
    endWithClient(ctx.req.socket, body);
    return { ...reply, body, headers: { 'X-Accel-Buffering': 'no', Connection: 'close' } };
  },
});

function readLastId(text: string): bigint | undefined {
  if (text === '') return undefined;
  if (!/^\d{1,18}$/.test(text))
    throw validationFailed([{ field: 'Last-Event-ID', detail: 'must be the ID of an event' }]);
  return BigInt(text);
}
