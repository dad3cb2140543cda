import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { KoaAdapter } from '@bull-board/koa';
import type { Middleware } from 'koa';
import compose from 'koa-compose';
import { isJobName, jobs } from '../../queues/jobs.ts';
import { jobIdPattern, type Queues } from '../../queues/queues.ts';
import { bullBoardPath } from '../server/operator-paths.ts';
import { serveBullBoardFiles } from '../static/bull-board-files.ts';

/** Accepts only job ids that BullMQ generates: any other id could be the name of a key of the queue itself. */
class IdGuardingAdapter extends BullMQAdapter {
  override async getJob(id: string): ReturnType<BullMQAdapter['getJob']> {
    return jobIdPattern.test(id) ? await super.getJob(id) : undefined;
  }

  override async addJob(...[name, data, options]: Parameters<BullMQAdapter['addJob']>) {
    const chosen: QueueJobOptions & { jobId?: unknown } = { ...options };
    delete chosen.jobId;
    return await super.addJob(name, data, chosen);
  }
}

type QueueJobOptions = Parameters<BullMQAdapter['addJob']>[2];

/** Bull Board with all queues, without a login. */
export function createBullBoardApp(queues: Queues, { readOnly }: { readOnly: boolean }): Middleware {
  const serverAdapter = new KoaAdapter();
  serverAdapter.setBasePath(bullBoardPath);
  createBullBoard({
    queues: queues.all.map(
      (queue) =>
        new IdGuardingAdapter(queue, {
          readOnlyMode: readOnly,
          description: isJobName(queue.name) ? jobs[queue.name].description : '',
        }),
    ),
    serverAdapter,
    options: { uiConfig: { boardTitle: 'Linkmill' } },
  });
  return compose([serveBullBoardFiles(), serverAdapter.registerPlugin()]);
}
