import { z } from 'zod';
import { isJobName, jobNames, jobs, scopeOfJob } from '../../../queues/jobs.ts';
import type { Job, Queues } from '../../../queues/queues.ts';
import { assertScope } from '../../middleware/authenticate.ts';
import { validate } from '../../middleware/validation.ts';
import { Problem } from '../../problems/problem.ts';
import { timestamp } from '../../routes/schemas.ts';
import type { Handlers, Operations } from '../operation.ts';

const shownJob = z.object({
  id: z.string(),
  name: z.string(),
  state: z.string().describe('State in BullMQ: waiting, active, delayed, completed, failed, …'),
  progress: z.number().describe('Percentage'),
  data: z.unknown(),
  result: z.unknown().describe('Summary of a completed job'),
  error: z.string().nullable(),
  attempts: z.int(),
  created_at: timestamp.nullable(),
  started_at: timestamp.nullable(),
  finished_at: timestamp.nullable(),
});

/** The path parameter that names a job and its queue. */
export const jobName = z.string().meta({ description: 'Name of the job', examples: jobNames });

/** Background jobs on demand. */
export const jobOperations = {
  runJob: {
    method: 'post',
    path: '/api/v1/jobs/{name}',
    tag: 'Jobs',
    summary: 'Run a job',
    scope: 'jobs:run',
    params: z.object({ name: jobName }),
    body: z.looseObject({}, 'must be a JSON object').describe('Data of the job'),
    replies: {
      202: {
        description: 'The job, which waits for a worker.',
        headers: { Location: 'URL of the resource' },
        body: z.object({ id: z.string(), name: z.string(), state: z.literal('waiting') }),
      },
    },
    problems: ['not-found'],
  },
  getJob: {
    method: 'get',
    path: '/api/v1/jobs/{name}/{id}',
    tag: 'Jobs',
    summary: 'Get a job',
    scope: 'jobs:run',
    params: z.object({ name: jobName, id: z.string().describe('ID of the job') }),
    replies: { 200: { description: 'The job.', body: shownJob } },
    problems: ['not-found'],
  },
} as const satisfies Operations;

const timeOf = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());

const presentJob = (jobName: string, job: Job, state: string): z.input<typeof shownJob> => ({
  id: job.id ?? '',
  name: jobName,
  state,
  progress: state === 'completed' ? 100 : typeof job.progress === 'number' ? job.progress : 0,
  data: job.data,
  result: job.returnvalue ?? null,
  error: job.failedReason ?? null,
  attempts: job.attemptsMade,
  created_at: timeOf(job.timestamp),
  started_at: timeOf(job.processedOn),
  finished_at: timeOf(job.finishedOn),
});

/** The job with this name. Throws a 404. */
export function getJobName(text: string) {
  if (isJobName(text)) return text;
  throw new Problem('not-found', `Job not found. Jobs: ${jobNames.join(', ')}.`);
}

export const jobHandlers = ({ queues }: { queues: Queues }): Handlers<typeof jobOperations> => ({
  runJob: async ({ params, body, apiKey }) => {
    const job = getJobName(params.name);
    assertScope(apiKey, scopeOfJob(job) ?? 'any');
    const id = await queues.add(job, validate(jobs[job].data, body));
    return {
      status: 202,
      headers: { Location: `/api/v1/jobs/${job}/${id}` },
      body: { id, name: job, state: 'waiting' },
    };
  },

  getJob: async ({ params }) => {
    const job = getJobName(params.name);
    const found = await queues.find(job, params.id);
    if (!found) throw new Problem('not-found', 'Job not found, or removed after its completion.');
    return { status: 200, body: presentJob(job, found.job, found.state) };
  },
});
