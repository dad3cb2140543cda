import { isAllowed } from '../../../api-keys/api-key.ts';
import { endWithClient } from '../../connections/end-with-client.ts';
import { refreshApiKey } from '../../middleware/authenticate.ts';
import type { Handlers, Operations } from '../operation.ts';
import type { ReadServiceState } from './read-state.ts';
import { serviceState } from './state-schema.ts';
import type { StateStreams } from './state-stream.ts';

const scope = 'jobs:run';

/** The state of the whole service. */
export const stateOperations = {
  getOperations: {
    method: 'get',
    path: '/api/v1/operations',
    tag: 'Jobs',
    summary: 'Get the state of the service',
    description:
      'What is waiting, how late, why, and what to do. It answers also while Redis is away; what is unknown is null. Up to a second old.',
    scope,
    replies: { 200: { description: 'The state of the service.', body: serviceState } },
    problems: [],
  },
  streamOperations: {
    method: 'get',
    path: '/api/v1/operations/stream',
    tag: 'Jobs',
    summary: 'Stream the state of the service',
    description:
      'Server-sent events `state` with the answer of `GET /api/v1/operations`, every 2 s. The service disconnects readers that are too slow.',
    scope,
    replies: {
      200: {
        description: 'The stream, until the client or the service closes it.',
        content: ['text/event-stream'],
      },
    },
    problems: [],
  },
} as const satisfies Operations;

export const stateHandlers = ({
  readState,
  stateStreams,
}: {
  readState: ReadServiceState;
  stateStreams: StateStreams;
}): Handlers<typeof stateOperations> => ({
  getOperations: async () => ({ status: 200, body: await readState() }),

  streamOperations: async ({ ctx }) => {
    const reply = { status: 200, type: 'text/event-stream' } as const;
    if (ctx.method === 'HEAD') return { ...reply, body: '' };
    const body = await stateStreams.open(async () => {
      const apiKey = await refreshApiKey(ctx);
      return apiKey !== undefined && isAllowed(apiKey, scope);
    });
    endWithClient(ctx.req.socket, body);
    return { ...reply, body, headers: { 'X-Accel-Buffering': 'no', Connection: 'close' } };
  },
});
