import { fail, ok } from '../../shared/kernel/index.ts';
import { attemptFrom, type CallerLimits } from '../../shared/rate-limit/index.ts';
import type { IssuerKeys } from '../../shared/remote-jwks/index.ts';

/**
 * An organization whose issuers fail too often waits before they are looked for again. Its address cannot pay as for
 * a refusal: an issuer that is away is nobody's guess at a credential, and runners of many tenants share addresses.
 * Keys that are held cost nothing, so no issuer that fails keeps the workloads of another out.
 */
export function limitIssuerKeys(
  limits: Pick<CallerLimits, 'failures'>,
  issuerKeys: IssuerKeys,
): Pick<IssuerKeys, 'find'> {
  return {
    find: async (query) => {
      const held = issuerKeys.held(query);
      if (held !== undefined) return ok(held);
      const attempt = await attemptFrom(limits, `issuer-keys ${query.organizationId}`, {
        run: () => issuerKeys.find(query),
        hasFailed: (found) => !found.ok,
      });
      if ('outcome' in attempt) return attempt.outcome;
      const believed = issuerKeys.believed(query.issuer);
      if (believed !== undefined) return ok(believed);
      return fail({ code: 'issuer_keys.unavailable', reason: 'too_many_failures' });
    },
  };
}
