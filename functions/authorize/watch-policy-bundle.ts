import type { FollowStatus, PolicyBundleFollower } from '../../shared/policy-bundle/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';

export type PolicyBundleWatch = { status(): FollowStatus; close(): Promise<void> };

/**
 * Looks at the bundle's source now and every so often: no source tells us of a change by itself, a mounted ConfigMap
 * no more than a bucket. What cannot be had or used is logged once, and the last good bundle keeps answering.
 * Resolves after the first look.
 */
export async function watchPolicyBundle(
  deps: { readonly follower: PolicyBundleFollower; readonly logger: Logger },
  options: { readonly name?: string; readonly intervalMs?: number } = {},
): Promise<PolicyBundleWatch> {
  const { follower, logger } = deps;
  const { name = 'Policy bundle', intervalMs = 5_000 } = options;
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

  await attempt();
  let running: Promise<void> = Promise.resolve();
  let timer = setTimeout(tick, intervalMs);
  function tick(): void {
    running = attempt().then(() => {
      timer = setTimeout(tick, intervalMs);
    });
  }
  return {
    status: follower.status,
    close: async () => {
      clearTimeout(timer);
      await running;
      clearTimeout(timer);
    },
  };
}
