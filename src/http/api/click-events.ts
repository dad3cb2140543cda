import type { Socket } from 'node:net';
import type { PassThrough } from 'node:stream';
import { z } from 'zod';
import { isAllowed, ownerOf } from '../../api-keys/api-key.ts';
import { foldCode } from '../../keys/short-code.ts';
import { findAgain } from '../middleware/authenticate.ts';
import { validationFailed } from '../problems/problem.ts';
import { tagFilter } from './analytics-query.ts';
import type { ClickEvents } from './click-event-stream.ts';
import type { Handlers, Operations } from './operation.ts';

/** Clicks as they are counted. */
export const clickEventOperations = {
  streamClicks: {
    method: 'get',
    path: '/api/v1/clicks/stream',
    tag: 'Analytics',
    summary: 'Clicks as they are counted',
    description:
      'Server-sent events `click`, each with `short_code`, `at`, `clicks` (alike within a minute), `is_bot`, `bot_kind`, `country`, `referrer`, `browser`, ' +
      '`os` and `device`, of clicks that are kept one by one. Each is sent once; after a break, whoever sends the last `id` gets what it missed, ' +
      'as far back as single clicks are kept, and perhaps once more what came after that id. Who reads too slowly is cut off.',
    scope: 'stats:read',
    query: z.strictObject({
      short_code: z.string('must be text').overwrite(foldCode).optional().describe('Of this short URL alone'),
      tag: tagFilter,
    }),
    headers: { 'Last-Event-ID': 'The last `id`, as browsers send it when they come back' },
    replies: { 200: { description: 'It goes on until somebody closes it.', content: ['text/event-stream'] } },
    problems: ['not-found'],
  },
} as const satisfies Operations;

export const clickEventHandlers = ({
  clickEvents,
}: {
  clickEvents: ClickEvents;
}): Handlers<typeof clickEventOperations> => ({
  streamClicks: async ({ query, owner, ctx }) => {
    const answer = { status: 200, type: 'text/event-stream' } as const;
    const after = readLastId(ctx.get('last-event-id'));
    if (ctx.method === 'HEAD') return { ...answer, body: '' };
    const isStillAllowed = async () => {
      const apiKey = await findAgain(ctx);
      return apiKey !== undefined && isAllowed(apiKey, 'stats:read') && ownerOf(apiKey) === owner;
    };
    const scope = { owner, shortCode: query.short_code, tag: query.tag };
    const body = await clickEvents.open(scope, { after, isStillAllowed });
    endWithClient(ctx.req.socket, body);
    return { ...answer, body, headers: { 'X-Accel-Buffering': 'no', Connection: 'close' } };
  },
});

/** Ends a stream when its client closes its sending side: a reader that has disconnected looks the same, until it is written to. */
function endWithClient(socket: Socket, body: PassThrough): void {
  const end = () => void body.end();
  if (socket.readableEnded) end();
  else socket.once('end', end);
}

function readLastId(text: string): bigint | undefined {
  if (text === '') return undefined;
  if (!/^\d{1,18}$/.test(text))
    throw validationFailed([{ field: 'Last-Event-ID', detail: 'must be the id of an event' }]);
  return BigInt(text);
}
