import cluster from 'node:cluster';
import type { WebConfig } from '../../config/web.ts';
import { createLog } from '../../log.ts';
import { ClosingStack, endOnSignal } from '../../resilience/shutdown.ts';
import { type Child, startChild } from './child.ts';
import type { Answers } from './rpc.ts';
import { createSlot } from './slot.ts';

/** What a web process may take to end beyond SHUTDOWN_DEADLINE_MS, and the primary process beyond that. */
const marginMs = 1_000;

/** The primary process: keeps `WEB_CONCURRENCY` web processes behind one port and does nothing else. What ends is started
 *  again, SIGHUP replaces one after the other, SIGTERM ends all. Resolves once each has come to listen, or has died. */
export async function superviseWebProcesses(config: WebConfig): Promise<void> {
  const log = createLog('web-cluster', config.LOG_LEVEL);
  const closing = new ClosingStack(log);
  const endMs = config.SHUTDOWN_DEADLINE_MS + marginMs;
  const endProcess = endOnSignal(closing, log, endMs + marginMs);
  // All take connections from one queue of the kernel: what a process that ends, dies or hangs has not taken, another takes.
  // Handed out by this process they would hang with whoever was handed one.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ serialization: 'advanced' });

  const children = new Set<Child>();
  const answers: Answers = {
    'metrics of all': async () => await Promise.all(places.map(({ child }) => child.readMetrics())),
  };
  const start = () => {
    const child = startChild(answers, log);
    children.add(child);
    void child.ended.then(() => children.delete(child));
    return child;
  };
  const onHopeless = () => {
    if (!places.some(({ child }) => child.listens)) endProcess('no web process stays alive');
  };
  const places = Array.from({ length: config.WEB_CONCURRENCY }, () =>
    createSlot({ start, endMs, onHopeless, log }),
  );
  closing.defer('web processes', places, async () => {
    for (const place of places) place.close();
    const endings = await Promise.all([...children].map(async (child) => await endOne(child, endMs)));
    if (!endings.every(Boolean)) throw new Error('not every web process ended well');
  });
  // Whoever ends this process at once means all of them.
  process.on('exit', () => children.forEach((child) => child.kill()));

  let replaced = Promise.resolve();
  process.on('SIGHUP', () => {
    replaced = replaced.then(replaceAll).catch(onUnreplaced);
  });
  const started = await Promise.all(places.map(({ child }) => child.started));
  if (started.every(Boolean)) log.info({ processes: places.length }, 'all web processes have started');

  async function replaceAll() {
    log.info('replacing the web processes');
    for (const place of places) if (!closing.started) await place.replace();
    log.info('the web processes are replaced');
  }

  function onUnreplaced(error: unknown) {
    log.error({ err: error }, 'the old web processes stay, those that are not replaced yet');
  }
}

/** Resolves to whether a web process ended well; one that had not come to listen had nothing to end. */
async function endOne(child: Child, endMs: number): Promise<boolean> {
  const { listens } = child;
  return (await child.end(endMs)) === 0 || !listens;
}
