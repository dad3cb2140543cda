export type Poller = ReturnType<typeof createPoller>;

/** Runs a task repeatedly, never twice at once: each run begins `everyMs` after the previous one has ended. The first timed run begins
 *  after `everyMs`; `poll` starts one at once. */
export function createPoller(options: {
  everyMs: number | (() => number);
  run: () => Promise<void>;
  /** Called after each failed run. `failures` counts the failed runs in a row, so 1 marks the start of an outage. */
  onFailure: (error: unknown, failures: number) => void;
  /** Called after the first run that succeeds again. */
  onRecovery?: () => void;
}) {
  const { everyMs, run, onFailure, onRecovery } = options;
  let running: Promise<void> | undefined;
  let failures = 0;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  schedule();

  function schedule(): void {
    clearTimeout(timer);
    if (!isStopped) timer = setTimeout(() => void poll(), typeof everyMs === 'number' ? everyMs : everyMs());
  }

  async function runOnce(): Promise<void> {
    try {
      await run();
      if (failures > 0 && !isStopped) onRecovery?.();
      failures = 0;
    } catch (error) {
      failures += 1;
      if (!isStopped) onFailure(error, failures);
    } finally {
      running = undefined;
      schedule();
    }
  }

  /** Starts a run, or joins the one in progress. Resolves when it has ended; never rejects. */
  function poll(): Promise<void> {
    running ??= runOnce();
    return running;
  }

  return {
    poll,

    /** Starts no further run and reports nothing more. Resolves when the run in progress, if any, has ended. */
    async stop(): Promise<void> {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
