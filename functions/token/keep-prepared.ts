import type { Logger } from '../../shared/telemetry/index.ts';
import type { TokenIssuer } from './token-issuer.ts';

const preparePeriodMs = 1_000;

/**
 * Opens the active key before a request needs it: each second, which also finds the first key of a new deployment
 * and the moment a published key becomes active. Costs no query while the key set is fresh.
 */
export function keepPrepared(
  tokenIssuer: TokenIssuer,
  logger: Logger,
): { now: () => void; close: () => Promise<void> } {
  let running = Promise.resolve();
  const now = () => {
    running = running.then(async () => {
      await tokenIssuer
        .provider()
        .catch((error: unknown) => logger.warn({ error }, 'The signing key is not ready'));
    });
  };
  now();
  const timer = setInterval(now, preparePeriodMs);
  return {
    now,
    close: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
