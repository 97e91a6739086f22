import { setTimeout as pause } from 'node:timers/promises';
import type { FollowStatus, PolicyBundleFollower } from '../../shared/policy-bundle/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';

export type PolicyBundleWatch = {
  /** Resolves when the source has been looked at once, whatever came of it, or takes too long to be waited for. */
  readonly firstLook: Promise<void>;
  status(): FollowStatus;
  close(): Promise<void>;
};

export type WatchOptions = {
  readonly name?: string;
  readonly intervalMs?: number;
  /** A source that hangs keeps the function neither from listening, unready, nor from ending. */
  readonly waitMsMax?: number;
};

/**
 * Looks at the bundle's source now and every so often: no source tells us of a change by itself, a mounted ConfigMap
 * no more than a bucket. What cannot be had or used is logged once, and the last good bundle keeps answering.
 */
export function watchPolicyBundle(
  deps: { readonly follower: PolicyBundleFollower; readonly logger: Logger },
  options: WatchOptions = {},
): PolicyBundleWatch {
  const { follower, logger } = deps;
  const { name = 'Policy bundle', intervalMs = 5_000, waitMsMax = 5_000 } = options;
  let logged = '';

  async function look(): Promise<void> {
    const checked = await follower.check();
    if (!checked.ok) return report(checked.failure);
    if (checked.value === 'unchanged') return;
    logged = '';
    const { source, active } = follower.status();
    logger.info({ source, ...active }, `${name} activated`);
  }
  /** A source that is away or a bundle that is broken stays so for a while: one line is enough. */
  function report(failure: { readonly code: string; readonly detail: string }): void {
    const line = `${failure.code} ${failure.detail}`;
    const { source } = follower.status();
    if (line !== logged) logger.error({ source, ...failure }, `${name} refused; the last good one stays`);
    logged = line;
  }
  const attempt = () =>
    look().catch((error: unknown) => logger.error({ error }, `${name} could not be looked at`));

  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  async function tick(): Promise<void> {
    await attempt();
    if (isClosed) return;
    timer = setTimeout(() => {
      running = tick();
    }, intervalMs);
  }
  let running = tick();
  return {
    firstLook: within(waitMsMax, running),
    status: follower.status,
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      await within(waitMsMax, running);
    },
  };
}

function within(limitMs: number, work: Promise<void>): Promise<void> {
  return Promise.race([work, pause(limitMs, undefined, { ref: false })]);
}
