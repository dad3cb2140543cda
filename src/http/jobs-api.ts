import type Router from '@koa/router';
import type { Job } from 'bullmq';
import { isJobName, jobNames, jobs, type Queues } from '../jobs.ts';
import type { ApiState } from './authenticate.ts';
import { Problem } from './errors.ts';
import { bodyOf, validate } from './validation.ts';

const timeOf = (ms: number | undefined) => (ms === undefined ? null : new Date(ms));

/** A job as the API shows it. `progress` is in per cent. */
const presentJob = (name: string, job: Job, state: string) => ({
  id: job.id,
  name,
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

function getJobName(text: string | undefined) {
  if (text !== undefined && isJobName(text)) return text;
  throw new Problem(404, 'not-found', `There is no such job. There are: ${jobNames.join(', ')}.`);
}

/** The routes that run jobs on demand and watch them. */
export function addJobRoutes(api: Router<ApiState>, { queues }: { queues: Queues }): void {
  api.post('/jobs/:name', async (ctx) => {
    const name = getJobName(ctx.params['name']);
    const data = validate(jobs[name].data, bodyOf(ctx));
    const id = await queues.add(name, data);
    ctx.status = 202;
    ctx.set('Location', `/api/v1/jobs/${name}/${id}`);
    ctx.body = { id, name, state: 'waiting' };
  });

  api.get('/jobs/:name/:id', async (ctx) => {
    const name = getJobName(ctx.params['name']);
    const found = await queues.find(name, ctx.params['id'] ?? '');
    if (!found) throw new Problem(404, 'not-found', 'There is no such job, or it ended long ago.');
    ctx.body = presentJob(name, found.job, found.state);
  });
}
