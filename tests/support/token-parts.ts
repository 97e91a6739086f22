import { join } from 'node:path';
import { postgresApiKeyStore } from '../../shared/api-key/api-key-store.postgres.ts';
import { createPolicyEngine, loadPolicy } from '../../shared/authorization/index.ts';
import { postgresSubjectFacts } from '../../shared/authorization/subject-facts-store.postgres.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { type Clock, systemRandom as random } from '../../shared/kernel/index.ts';
import { createIssuerKeys, createRemoteJsonFetch } from '../../shared/remote-jwks/index.ts';
import { postgresServiceAccountStore } from '../../shared/service-account/service-account-store.postgres.ts';
import { postgresSigningKeyStore } from '../../shared/signing-key/signing-key-store.postgres.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { postgresOidcRecordStore } from '../../shared/token/oidc-record-store.postgres.ts';
import { postgresTokenUseStore } from '../../shared/workload-identity/token-use-store.postgres.ts';
import { postgresTrustRuleStore } from '../../shared/workload-identity/trust-rule-store.postgres.ts';
import type { SigningKeyFixture } from '../integration/signing-key-fixture.ts';
import { testLimits } from './limits.ts';

/** All that the token function takes but its names, the real parts; a test puts in their place what it is about. */
export async function openTokenParts(
  fixture: SigningKeyFixture,
  clock: Clock,
  internalIssuers: ReadonlySet<string> = new Set(),
) {
  const { pool } = fixture;
  const engine = createPolicyEngine({ clock });
  await loadPolicy(engine, join(import.meta.dirname, '../../policies/bundle'));
  // However slow the machine is, an issuer that answers has answered in time.
  const fetchJson = createRemoteJsonFetch({ timeoutMs: 30_000 });
  return {
    pool,
    clock,
    random,
    engine,
    logger: silentLogger,
    apiKeys: postgresApiKeyStore(pool),
    trustRules: postgresTrustRuleStore,
    serviceAccounts: postgresServiceAccountStore(pool),
    tokenUses: postgresTokenUseStore,
    issuerKeys: createIssuerKeys({ fetchJson, internalIssuers, clock }),
    facts: postgresSubjectFacts(pool),
    signingKeys: postgresSigningKeyStore,
    records: postgresOidcRecordStore,
    events: postgresEventRecorder({ clock, random, source: 'uos/token' }),
    pepper: fixture.apiKeys.deps.pepper,
    signingRing: fixture.rotation.ring,
    recordRing: await fixture.openRing('oidc-record'),
    limits: testLimits(),
    signingAlgorithm: 'ES256' as const,
    jwksMaxAgeSeconds: 30,
  };
}
