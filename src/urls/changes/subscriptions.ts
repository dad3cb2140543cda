import type { ConditionCode, Conditions } from '../../resilience/conditions.ts';

/** Through which a process hears of changes: notifications of PostgreSQL from other programs, the invalidation bus in Redis from other processes. */
export type Subscription = 'notifications' | 'invalidation_bus';

const checkEveryMs = 1_000;
/** A loss that is shorter is no condition: a subscription is renewed within seconds. */
const patienceMs = 5_000;

/** Conditions of the store itself, which explain a loss. The bus may be in the Redis of the cache. */
const explained = ({ hasOwnCache }: { hasOwnCache: boolean }): Record<Subscription, ConditionCode[]> => ({
  notifications: ['postgres_unavailable'],
  invalidation_bus: hasOwnCache ? ['redis_cache_unusable'] : ['redis_unavailable', 'redis_login_refused'],
});
const reasons: Record<Subscription, string> = {
  notifications:
    'PostgreSQL answers, but this process has no connection that listens: writes of other programs are found when the job reconcile-cache runs. Check DATABASE_DIRECT_URL.',
  invalidation_bus:
    'Redis answers, but this process is not subscribed: changes in other processes are found when the entries in memory are checked. Check the rights of the user of Redis.',
};

export type Subscriptions = ReturnType<typeof watchSubscriptions>;

/** Whether this process hears of changes. While a store answers and its subscription has been lost for 5 s, that is the condition
 *  `changes_unheard`. */
export function watchSubscriptions(
  conditions: Conditions,
  names: Subscription[],
  { hasOwnCache = false } = {},
) {
  const explanations = explained({ hasOwnCache });
  const up = new Map(names.map((name) => [name, false]));
  const unexplainedMs = new Map<Subscription, number>();

  function check(): void {
    const current = new Set(conditions.list().map(({ code }) => code));
    for (const [name, isUp] of up) {
      const isExplained = isUp || explanations[name].some((code) => current.has(code));
      unexplainedMs.set(name, isExplained ? 0 : (unexplainedMs.get(name) ?? 0) + checkEveryMs);
    }
    const lost = names.filter((name) => (unexplainedMs.get(name) ?? 0) >= patienceMs);
    conditions.update(
      'changes_unheard',
      lost.length > 0 ? lost.map((name) => reasons[name]).join(' ') : undefined,
    );
  }
  const timer = setInterval(check, checkEveryMs);

  return {
    set: (name: Subscription, isUp: boolean) => void up.set(name, isUp),
    /** Each subscription with 1 while it is active, else 0. */
    read: () => [...up].map(([name, isUp]) => ({ value: isUp ? 1 : 0, labels: { subscription: name } })),
    stop: () => clearInterval(timer),
  };
}
