import { join } from 'node:path';
import { createPolicyEngine, loadPolicy } from '../../shared/authorization/index.ts';
import { postgresSubjectFacts } from '../../shared/authorization/subject-facts-store.postgres.ts';
import type { DatabasePool } from '../../shared/db/index.ts';
import type { Clock } from '../../shared/kernel/index.ts';
import { createIssuerKeys, createRemoteJsonFetch } from '../../shared/remote-jwks/index.ts';
import { postgresTokenUseStore } from '../../shared/workload-identity/token-use-store.postgres.ts';
import { postgresTrustRuleStore } from '../../shared/workload-identity/trust-rule-store.postgres.ts';

/** What the token function takes for token exchange, the real parts. */
export async function openTokenParts(
  pool: DatabasePool,
  clock: Clock,
  internalIssuers: ReadonlySet<string> = new Set(),
) {
  const engine = createPolicyEngine({ clock });
  await loadPolicy(engine, join(import.meta.dirname, '../../policies/bundle'));
  return {
    trustRules: postgresTrustRuleStore,
    tokenUses: postgresTokenUseStore,
    issuerKeys: createIssuerKeys({ fetchJson: createRemoteJsonFetch(), internalIssuers, clock }),
    facts: postgresSubjectFacts(pool),
    engine,
  };
}
