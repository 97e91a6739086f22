import { type Clock, createTransientMap } from '../kernel/index.ts';
import type { FailureLedger, FailureLimiter } from './failure-limiter.ts';
import { createMemoryRateLimiter } from './rate-limiter.memory.ts';
import type { Admission, RateLimit } from './rate-limiter.ts';

type Attempts = { underWay: number; readonly waiting: Set<() => void> };

/** Of one key; whoever comes after them is refused. */
const waitingMax = 1_000;
/** Longer than an attempt takes that has to fetch something from elsewhere. */
const waitMsDefault = 5_000;

/** One process holds the limit on its own, and asks the ledger, if it has one, before each attempt. */
export function createFailureLimiter(
  { clock, ledger }: { readonly clock: Clock; readonly ledger?: FailureLedger | undefined },
  limit: RateLimit,
  { waitMsMax = waitMsDefault } = {},
): FailureLimiter {
  const local = createMemoryRateLimiter({ clock }, limit);
  const attempts = createTransientMap<string, Attempts>();

  async function enter(key: string): Promise<Admission> {
    let late: AbortSignal | undefined;
    for (;;) {
      const here = local.take(key);
      const others = attempts.get(key);
      if (here.isAdmitted) {
        if (others === undefined) attempts.set(key, { underWay: 1, waiting: new Set() });
        else others.underWay += 1;
        return here;
      }
      if (others === undefined || others.waiting.size >= waitingMax || late?.aborted) return here;
      late ??= AbortSignal.timeout(waitMsMax);
      await wakeUp(others, late);
    }
  }

  /** With the last attempt all are woken that wait: nothing is left to wait for. */
  function leave(key: string): void {
    const own = attempts.get(key);
    if (own === undefined) return;
    own.underWay -= 1;
    if (own.underWay === 0) attempts.delete(key);
    for (const wake of [...own.waiting].slice(0, own.underWay === 0 ? undefined : 1)) wake();
  }

  function end(key: string, hasFailed: boolean): void {
    if (hasFailed) void ledger?.charge(key).catch(() => undefined);
    else local.giveBack(key);
    leave(key);
  }

  return {
    begin: async (key) => {
      const here = await enter(key);
      if (!here.isAdmitted || ledger === undefined) return here;
      let everywhere: Admission | undefined;
      try {
        everywhere = await ledger.ask(key);
        return everywhere;
      } finally {
        if (everywhere?.isAdmitted !== true) end(key, false);
      }
    },
    end,
  };
}

/** Once it is called in its turn, or late. */
function wakeUp({ waiting }: Attempts, late: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      waiting.delete(wake);
      late.removeEventListener('abort', wake);
      resolve();
    };
    waiting.add(wake);
    late.addEventListener('abort', wake);
  });
}
